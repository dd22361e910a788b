import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { expect, it } from 'vitest';
import { UnavailableError } from '../core/errors.ts';
import { Share } from '../core/memory.ts';
import { AnswerMemory } from './answerMemory.ts';

const KIB = 1024;
/** As much of a response as is listened to. */
const aResponse = (remoteAddress = '127.0.0.1', closed = false) =>
  Object.assign(new EventEmitter(), {
    closed,
    req: { socket: { remoteAddress } },
  }) as unknown as ServerResponse;
const cut = () => undefined;

it('who only looks gets smaller pages, then none, and half of it all stays for scrapes', () => {
  const share = new Share(2048 * KIB);
  const answers = new AnswerMemory(share, cut);
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
  const answers = new AnswerMemory(share, cut);
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

it('nothing is held for an answer whose client is gone by the time that it is made', () => {
  const share = new Share(KIB);
  const answers = new AnswerMemory(share, cut);
  const gone = aResponse('127.0.0.1', true);
  answers.open(gone).force(100);
  answers.hold(gone, [new Uint8Array(100)]);
  expect(share.held).toBe(0);
});

it('where there is no room, answers to the client that holds most are cut, oldest first, and no others', () => {
  const share = new Share(KIB);
  const cuts: unknown[] = [];
  const answers = new AnswerMemory(share, (socket) => void cuts.push(socket));
  const [other, ...greedy] = ['127.0.0.2', '127.0.0.1', '127.0.0.1', '127.0.0.1'].map((client) =>
    aResponse(client),
  );
  if (other === undefined) throw new Error('no answer');
  answers.hold(other, [new Uint8Array(300)]);
  for (const each of greedy) answers.hold(each, [new Uint8Array(300)]);
  expect(cuts).toEqual([greedy[0]?.req.socket]);
  expect(share.held).toBe(900);
  for (const each of [other, ...greedy]) each.emit('close');
  expect(share.held).toBe(0);
});
