import { RefusedError, shown } from '../../core/errors.ts';
import type { Mapping, NameRules } from './compile.ts';
import { MAPPING_MEMBERS, compileMapping } from './compile.ts';
import { membersAt, objectAt, textAt, textsAt, wordAt } from './members.ts';
import { overlay } from './overlay.ts';
import { isObject } from './pointer.ts';
import type { AnswerForm, Preset, SecretCheck } from './senders/sender.ts';
import { PRESETS } from './senders/senders.ts';
import type { Shape } from './shapes/shape.ts';
import { asItCame } from './shapes/shape.ts';
import { Wanted, wantedBy } from './wanted.ts';

/** A webhook that is there: where it listens, and what it makes of what comes. */
export interface Webhook {
  readonly name: string;
  readonly path: string;
  /** What comes there, for the documentation, if it is the preset of that name. What is configured is nobody else's business. */
  readonly receives: string | undefined;
  readonly mapping: Mapping;
  /** What of a body is read; the rest is passed over. */
  readonly wanted: Wanted;
  readonly shape: Shape;
  readonly answer: AnswerForm;
  readonly repeats: boolean;
  readonly idSpace: string;
  /** Absent, whoever reaches it may send. */
  readonly secret: (SecretCheck & { readonly text: string }) | undefined;
}

const WEBHOOKS_MAX = 200;
/** As a segment of a URL that needs no escaping. */
const NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/;
const SECRET_CHARACTERS_MAX = 4096;
const HEADER_CHARACTERS_MAX = 128;
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

const SECRET_MEMBERS = ['secret', 'signature', 'token'] as const;
/** What the settings may say of a webhook that has a preset; a mapping of its own would be another webhook. */
const OF_PRESET = ['preset', 'only', 'labels', 'drop', 'metric', ...SECRET_MEMBERS] as const;
const OF_ITS_OWN = [...MAPPING_MEMBERS, ...SECRET_MEMBERS] as const;

/**
 * All webhooks: those of `settings`, which is the setting `webhooks` with its secrets read, and the presets that it leaves as they are.
 * Throws a RefusedError that names the setting, such as `webhooks.deploys.labels.env`.
 */
export function readWebhooks(
  settings: Readonly<Record<string, unknown>>,
  rules: NameRules,
): readonly Webhook[] {
  const names = Object.keys(settings);
  if (names.length > WEBHOOKS_MAX)
    throw new RefusedError(
      'webhooks',
      `webhooks has ${names.length} entries; the limit is ${WEBHOOKS_MAX}, so remove some`,
    );
  const configured = names.map((name) => readWebhook(name, settings[name], rules));
  const others = PRESETS.filter(({ name }) => !names.includes(name));
  return [...configured, ...others.map((preset) => ofPreset(preset.name, preset, {}, rules))];
}

function readWebhook(name: string, raw: unknown, rules: NameRules): Webhook {
  const field = `webhooks.${name}`;
  if (!NAME.test(name)) {
    throw new RefusedError(
      field,
      `webhooks ${shown(name)} is not a valid webhook name; use up to 63 of a-z, 0-9, - and _, and don't begin with - or _`,
    );
  }
  // A secret may stand in its place.
  if (!isObject(raw))
    throw new RefusedError(
      field,
      `${field} must be an object; the value isn't shown because it may be a secret`,
    );
  const own = raw;
  const preset = presetFor(name, own);
  if (preset !== undefined) return ofPreset(name, preset, membersAt(field, raw, OF_PRESET), rules);
  const { secret, signature, token, ...mapping } = membersAt(field, raw, OF_ITS_OWN);
  if (
    mapping['labels'] === undefined &&
    mapping['labelsFrom'] === undefined &&
    mapping['kinds'] === undefined
  )
    throw new RefusedError(field, `${field} maps nothing; add labels, or name a preset`);
  const compiled = compileMapping(field, mapping, rules);
  return {
    name,
    path: `/webhook/${name}`,
    receives: undefined,
    mapping: compiled,
    wanted: wantedBy(compiled),
    shape: asItCame,
    answer: 'counts',
    repeats: false,
    idSpace: name,
    secret: secretOf(field, { secret, signature, token }, undefined),
  };
}

/** The preset that is named, or that has the webhook's own name. */
function presetFor(name: string, { preset }: Readonly<Record<string, unknown>>): Preset | undefined {
  const names = PRESETS.map((each) => each.name);
  const wanted = preset === undefined ? name : wordAt(`webhooks.${name}.preset`, preset, names);
  return PRESETS.find((each) => each.name === wanted);
}

function ofPreset(
  name: string,
  preset: Preset,
  own: Readonly<Record<string, unknown>>,
  rules: NameRules,
): Webhook {
  const field = `webhooks.${name}`;
  const { only, labels, drop, metric } = own;
  const kinds =
    only === undefined
      ? undefined
      : textsAt(`${field}.only`, only, WEBHOOKS_MAX, HEADER_CHARACTERS_MAX).map((kind) =>
          wordAt(`${field}.only`, kind, Object.keys(preset.mapping.kinds ?? {})),
        );
  const isPreset = name === preset.name;
  const mapping = compileMapping(
    field,
    overlay(preset.mapping, {
      only: kinds,
      labels: labels === undefined ? {} : objectAt(`${field}.labels`, labels, 'an object of labels'),
      drop,
      metric,
    }),
    rules,
  );
  return {
    name,
    path: isPreset ? preset.path : `/webhook/${name}`,
    receives: isPreset ? preset.receives : undefined,
    mapping,
    wanted: preset.shape.readsAll ? Wanted.everything : wantedBy(mapping),
    shape: preset.shape,
    answer: preset.answer,
    repeats: preset.repeats ?? false,
    idSpace: isPreset ? preset.idSpace : name,
    secret: secretOf(field, own, preset.check),
  };
}

function secretOf(
  field: string,
  { secret, signature, token }: Readonly<Record<string, unknown>>,
  usual: SecretCheck | undefined,
): Webhook['secret'] {
  if (signature !== undefined && token !== undefined)
    throw new RefusedError(field, `${field} has both a signature and a token; keep one of them`);
  const own =
    signature === undefined
      ? token === undefined
        ? undefined
        : checkAt(`${field}.token`, 'token', token)
      : checkAt(`${field}.signature`, 'signature', signature);
  const check = own ?? usual;
  if (secret === undefined) {
    if (own === undefined) return undefined;
    throw new RefusedError(field, `${field}.${own.by} needs a secret; add ${field}.secret`);
  }
  if (check === undefined)
    throw new RefusedError(
      field,
      `${field}.secret has no effect; add ${field}.signature or ${field}.token with the header to check`,
    );
  // Never shown, not even where it is wrong.
  if (typeof secret !== 'string' || secret === '' || secret.length > SECRET_CHARACTERS_MAX)
    throw new RefusedError(
      `${field}.secret`,
      `${field}.secret must be a string of 1 to ${SECRET_CHARACTERS_MAX} characters, or {"env": "NAME"}, or {"file": "path"}; its value isn't shown because it is a secret`,
    );
  return { ...check, text: secret };
}

function checkAt(field: string, by: SecretCheck['by'], raw: unknown): SecretCheck {
  const { header, prefix = '' } = isObject(raw)
    ? membersAt(field, raw, ['header', 'prefix'])
    : { header: raw, prefix: '' };
  const name = textAt(`${field}.header`, header, HEADER_CHARACTERS_MAX);
  // It may be the secret itself, in the wrong place.
  if (!HEADER_NAME.test(name))
    throw new RefusedError(
      `${field}.header`,
      `${field}.header must be a header name, such as X-Signature; its value isn't shown because it may be a secret`,
    );
  if (typeof prefix !== 'string' || prefix.length > HEADER_CHARACTERS_MAX)
    throw new RefusedError(`${field}.prefix`, `${field}.prefix must be a string, such as "sha256="`);
  return { by, header: name, prefix };
}
