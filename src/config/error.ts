/** A setting that can't be used. The message is one clear line: which key, from where, the rule, the value, what to do. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}
