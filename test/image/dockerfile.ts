import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');

export interface Instruction {
  readonly name: string;
  /** Flags such as `--from=node`, by name. */
  readonly flags: Readonly<Record<string, string>>;
  readonly rest: string;
}

export interface Stage {
  readonly image: string;
  readonly name: string | undefined;
  readonly flags: Instruction['flags'];
  readonly instructions: readonly Instruction[];
}

/** The stages of the Dockerfile, in order. */
export function stages(): readonly Stage[] {
  const all: {
    image: string;
    name: string | undefined;
    flags: Instruction['flags'];
    instructions: Instruction[];
  }[] = [];
  for (const instruction of instructions(readFileSync(join(ROOT, 'Dockerfile'), 'utf8'))) {
    const { name, flags, rest } = instruction;
    if (name === 'FROM') {
      const [image = '', , stage] = rest.split(/\s+/);
      all.push({ image, name: stage, flags, instructions: [] });
    } else {
      all.at(-1)?.instructions.push(instruction);
    }
  }
  return all;
}

function instructions(text: string): readonly Instruction[] {
  const joined = text.replaceAll(/^\s*#.*\n/gm, '').replaceAll(/\\\n\s*/g, ' ');
  return joined
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, name = '', flagText = '', rest = ''] = /^(\w+)\s+((?:--\S+\s+)*)(.*)$/.exec(line) ?? [];
      const flags = Object.fromEntries(
        [...flagText.matchAll(/--(\w[\w-]*)=(\S+)/g)].map(([, flag = '', value = '']) => [flag, value]),
      );
      return { name, flags, rest: rest.trim() };
    });
}

/** What all instructions of one name say, in one stage. */
export function said(stage: Stage, name: string): readonly string[] {
  return stage.instructions.filter((each) => each.name === name).map(({ rest }) => rest);
}
