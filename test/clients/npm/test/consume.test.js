'use strict';

const assert = require('node:assert');
const { test } = require('node:test');
const {
  Consumer, QUEUES, Received, consumed, createdTopic, message, numbered, owned, sendAll, startedConsumer,
  startedProducer, unique, until,
} = require('../lib/clients');

test('messages arrive while the consumer waits', async t => {
  const producer = await startedProducer(t);
  const topic = await createdTopic(producer, 'waits');
  const received = new Received();
  await startedConsumer(t, unique('group'), topic, '*', received.listener);
  const texts = numbered('first', 20);
  await sendAll(producer, topic, texts);
  await received.exactly(texts);
  const more = numbered('second', 20);
  await sendAll(producer, topic, more);
  await received.exactly([...texts, ...more]);
});

test('a consumer gets the tags it subscribes', async t => {
  const producer = await startedProducer(t);
  const topic = await createdTopic(producer, 'tags');
  const both = new Received();
  const one = new Received();
  await startedConsumer(t, unique('group'), topic, 'TagA || TagC', both.listener);
  await startedConsumer(t, unique('group'), topic, 'TagB', one.listener);
  const want = { TagA: [], TagB: [], TagC: [] };
  for (const [i, text] of numbered('tags', 60).entries()) {
    const tag = Object.keys(want)[i % 3];
    await producer.send(message(topic, text, { tag }));
    want[tag].push(text);
  }
  await both.exactly([...want.TagA, ...want.TagC]);
  await one.exactly(want.TagB);
});

test('each broadcasting consumer gets every message', async t => {
  const producer = await startedProducer(t);
  const topic = await createdTopic(producer, 'broadcast');
  const group = unique('group');
  const one = new Received();
  const other = new Received();
  await startedConsumer(t, group, topic, '*', one.listener, { isBroadcast: true });
  await startedConsumer(t, group, topic, '*', other.listener, { isBroadcast: true });
  const texts = numbered('broadcast', 40);
  await sendAll(producer, topic, texts);
  await one.exactly(texts);
  await other.exactly(texts);
});

test('two consumers share, and one takes over when the other leaves', async t => {
  const producer = await startedProducer(t);
  const topic = await createdTopic(producer, 'share');
  const group = unique('group');
  const received = new Received();
  const stays = await startedConsumer(t, group, topic, '*', received.listener);
  await until(() => owned(stays, topic).length === QUEUES, () => `owns ${owned(stays, topic)}`);
  const leaves = await startedConsumer(t, group, topic, '*', received.listener);
  await until(() => {
    const all = new Set([...owned(stays, topic), ...owned(leaves, topic)]);
    return all.size === QUEUES && owned(stays, topic).length === QUEUES / 2 && owned(leaves, topic).length === QUEUES / 2;
  }, () => `shared as ${owned(stays, topic)} and ${owned(leaves, topic)}`);
  const shared = numbered('shared', 80);
  await sendAll(producer, topic, shared);
  await received.all(shared);
  await leaves.stop();
  await until(() => owned(stays, topic).length === QUEUES, () => `took over only ${owned(stays, topic)}`);
  const alone = numbered('alone', 80);
  await sendAll(producer, topic, alone);
  await received.all(alone);
});

test('offsets survive a consumer restart', async t => {
  const producer = await startedProducer(t);
  const topic = await createdTopic(producer, 'offsets');
  const group = unique('group');
  const before = numbered('before', 40);
  await sendAll(producer, topic, before);
  const first = new Received();
  const consumer = await startedConsumer(t, group, topic, '*', first.listener);
  await first.exactly(before);
  await consumed(consumer);
  await consumer.stop();
  const after = numbered('after', 40);
  await sendAll(producer, topic, after);
  const second = new Received();
  await startedConsumer(t, group, topic, '*', second.listener);
  await second.exactly(after);
});

test('a listener that fails gets the message again', async t => {
  const producer = await startedProducer(t);
  const topic = await createdTopic(producer, 'retry');
  const tries = new Received();
  const successes = new Received();
  await startedConsumer(t, unique('group'), topic, '*', received => {
    tries.add(received);
    if (received.reconsumeTimes === 0) throw new Error('a listener that throws has failed');
    successes.add(received);
    return undefined;
  });
  const texts = numbered('retry', 10);
  for (const text of texts) await producer.send(message(topic, text, { tag: 'TagA', keys: [text] }));
  await successes.exactly(texts);
  assert.strictEqual(tries.messages.length, 2 * texts.length);
  for (const found of successes.messages) {
    assert.strictEqual(found.reconsumeTimes, 1);
    assert.strictEqual(found.topic, topic);
    assert.strictEqual(found.tags, 'TagA');
    assert.strictEqual(found.keys, found.text);
    // The level's second has passed since the message was sent.
    assert.ok(found.storeTimestamp - found.bornTimestamp >= 1000);
  }
});

test('a listener that always fails ends in the dead-letter queue', async t => {
  const producer = await startedProducer(t);
  const topic = await createdTopic(producer, 'dead');
  const group = unique('group');
  const tries = new Received();
  // Retries go through a handler of the client's own, which forgets what ours returns: only an error fails them.
  await startedConsumer(t, group, topic, '*', received => {
    tries.add(received);
    if (received.reconsumeTimes === 0) return Consumer.ACTION_RETRY;
    throw new Error('fails');
  }, { maxReconsumeTimes: 1 });
  await producer.send(message(topic, 'dead', { tag: 'TagA', keys: ['key'] }));
  const dead = `%DLQ%${group}`;
  await until(() => producer._mqClient.getTopicRouteInfoFromNameServer(dead, 3000), () => `no route for ${dead}`);
  const received = new Received();
  await startedConsumer(t, unique('readers'), dead, '*', received.listener);
  await received.exactly(['dead']);
  const [letter] = received.messages;
  assert.strictEqual(letter.properties.RETRY_TOPIC, topic);
  assert.strictEqual(letter.tags, 'TagA');
  assert.strictEqual(letter.keys, 'key');
  assert.deepStrictEqual(tries.messages.map(({ reconsumeTimes }) => reconsumeTimes), [0, 1]);
});
