import type { MappingSource } from '../language.ts';
import type { Shape } from '../shapes/shape.ts';

/** How the secret that a sender has of us is shown in its requests. */
export type SecretCheck = {
  /** An HMAC with SHA-256 over the body as it came, in hexadecimal digits; or the secret itself. */
  readonly by: 'signature' | 'token';
  readonly header: string;
  /** What stands before it in the header. */
  readonly prefix: string;
};

/** What a webhook answers once its events are stored. */
export type AnswerForm = 'counts' | 'empty' | 'annotation' | 'graphite';

/** A webhook that is there without being configured. */
export interface Preset {
  readonly name: string;
  readonly path: string;
  /** For the documentation: what sends it, and where its bodies are documented. */
  readonly sender: string;
  readonly source: string;
  readonly check: SecretCheck;
  readonly shape: Shape;
  /** For the documentation: what `shape` does, a sentence without its full stop. */
  readonly shaped?: string;
  readonly answer: AnswerForm;
  /** Whether what can be read of a body is stored even where the rest is refused. */
  readonly partial: boolean;
  /** Whose ids its events have; those of different spaces are different. */
  readonly idSpace: string;
  readonly mapping: MappingSource;
}
