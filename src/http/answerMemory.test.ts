import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { expect, it } from 'vitest';
import { UnavailableError } from '../core/errors.ts';
import { Share } from '../core/memory.ts';
import { AnswerMemory } from './answerMemory.ts';

const KIB = 1024;
/** As much of a response as is listened to. */
const aResponse = () => new EventEmitter() as unknown as ServerResponse;

it('who only looks gets smaller pages, then none, and half of it all stays for scrapes', () => {
  const share = new Share(2048 * KIB);
  const answers = new AnswerMemory(share);
  const look = () => answers.takeToLook(answers.open(aResponse()), 8192 * KIB) / KIB;
  expect([look(), look(), look()]).toEqual([256, 192, 144]);
  const many = () => {
    for (;;) look();
  };
  expect(many).toThrow(UnavailableError);
  expect(share.room).toBeGreaterThan(1024 * KIB);
  expect(share.refused).toBe(1);
});

it('a part that is in several answers counts once, until the last of them has left', () => {
  const share = new Share(KIB);
  const answers = new AnswerMemory(share);
  const [shared, own] = [new Uint8Array(100), new Uint8Array(10)];
  const [one, other] = [aResponse(), aResponse()];
  answers.hold(one, [shared, own]);
  answers.hold(other, [shared]);
  expect(share.held).toBe(110);
  one.emit('close');
  expect(share.held).toBe(100);
  other.emit('close');
  expect(share.held).toBe(0);
});
