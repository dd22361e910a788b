import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const LINE = '-'.repeat(80);

/** What of a package's manifest is looked at. */
interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly license?: string;
  readonly author?: string;
}

/** The licences of the packages that some modules come from, with their texts, by name. Throws for a package without a text: it can't be passed on. */
export function licencesOf(modules: readonly string[]): string {
  const bundled = Map.groupBy(
    modules.filter((id) => id.includes('/node_modules/')),
    packageOf,
  );
  const licences = [...bundled]
    .map(([folder, ids]) => ({ ...manifestOf(folder), text: textOf(folder, ids) }))
    .toSorted((a, b) => (a.name ?? '').localeCompare(b.name ?? '', 'en'));
  return [
    'This package contains parts of the packages below, each under its own licence.',
    ...licences.map(
      ({ name, version, license, text }) => `${LINE}\n${name} ${version}: ${license}\n\n${text}`,
    ),
  ].join('\n\n');
}

/** The nearest folder with a manifest that has a name: some packages have more, to say which of their files are ES modules. */
function packageOf(id: string): string {
  for (let folder = dirname(id); folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json')) && manifestOf(folder).name !== undefined) return folder;
  }
  throw new Error(`${id} belongs to no package`);
}

/** Its licence's file. A few packages have none, but say the same at the top of their files, or just that it is MIT's. */
function textOf(folder: string, modules: readonly string[]): string {
  const { name, license, author } = manifestOf(folder);
  const files = globSync('{LICEN[CS]E,licen[cs]e,NOTICE}*', { cwd: folder }).toSorted();
  const texts = files.map((file) => readFileSync(join(folder, file), 'utf8').trim());
  if (texts.length === 0) texts.push(...new Set(modules.flatMap(noticeOf)));
  if (texts.length === 0 && license === 'MIT' && author !== undefined) texts.push(mit(author));
  if (texts.length === 0 || license === undefined)
    throw new Error(`${name} has no licence that can be passed on`);
  return texts.join('\n\n');
}

/** The comment that a file begins with, if it is about rights. */
function noticeOf(file: string): readonly string[] {
  const [head = ''] = /^(?:\/\/.*\n)*/.exec(readFileSync(file, 'utf8')) ?? [];
  return head.includes('Copyright') ? [head.replaceAll(/^\/\/ ?/gm, '').trim()] : [];
}

/** https://spdx.org/licenses/MIT.html */
const mit = (author: string): string => `Copyright (c) ${author}

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
}
