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
  /** For the documentation: what comes there, as in `Receive webhooks from GitHub`. */
  readonly receives: string;
  /** For the documentation: what sends it, and where its bodies are documented. */
  readonly sender: string;
  readonly source: string;
  readonly check: SecretCheck;
  readonly shape: Shape;
  /** For the documentation: what `shape` does, a sentence without its full stop. */
  readonly shaped?: string;
  readonly answer: AnswerForm;
  /** Whether it sends an event again for as long as something goes on, however long: its ids are then kept known. */
  readonly repeats?: boolean;
  /** Whose ids its events have; those of different spaces are different. */
  readonly idSpace: string;
  readonly mapping: MappingSource;
}
