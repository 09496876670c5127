'use strict';

const assert = require('node:assert');
const crypto = require('node:crypto');
const { test } = require('node:test');
const {
  QUEUES, QUEUES_PER_BROKER, Received, createdTopic, message, numbered, startedConsumer, startedProducer,
  unique,
} = require('../lib/clients');

test('sends go to all queues in turn, and each arrives once', async t => {
  const producer = await startedProducer(t);
  const topic = await createdTopic(producer, 'send');
  const texts = numbered('send', 3 * QUEUES);
  const next = new Map();
  for (const text of texts) {
    const result = await producer.send(message(topic, text));
    assert.strictEqual(result.sendStatus, 'SEND_OK');
    const { key } = result.messageQueue;
    assert.strictEqual(result.queueOffset, next.get(key) || 0);
    next.set(key, result.queueOffset + 1);
  }
  assert.strictEqual(next.size, QUEUES);
  const received = new Received();
  await startedConsumer(t, unique('group'), topic, '*', received.listener);
  await received.exactly(texts);
});

test('many sends at once', async t => {
  const producer = await startedProducer(t);
  const topic = await createdTopic(producer, 'many');
  const texts = numbered('many', 300);
  const results = await Promise.all(texts.map(text => producer.send(message(topic, text))));
  assert.ok(results.every(({ sendStatus }) => sendStatus === 'SEND_OK'));
  const received = new Received();
  await startedConsumer(t, unique('group'), topic, '*', received.listener);
  await received.exactly(texts);
});

test('tags, keys and properties arrive as they were sent', async t => {
  const producer = await startedProducer(t);
  const topic = await createdTopic(producer, 'properties');
  const sent = await producer.send(message(topic, 'text \u00e9\u4e2d', {
    tag: 'TagA', keys: ['one', 'two'], properties: { name: 'value, with = and \u00e9\u4e2d' },
  }));
  const received = new Received();
  await startedConsumer(t, unique('group'), topic, '*', received.listener);
  await received.exactly(['text \u00e9\u4e2d']);
  const [found] = received.messages;
  assert.strictEqual(found.topic, topic);
  assert.strictEqual(found.msgId, sent.msgId);
  assert.strictEqual(found.tags, 'TagA');
  assert.strictEqual(found.keys, 'one two');
  assert.strictEqual(found.properties.name, 'value, with = and \u00e9\u4e2d');
  assert.strictEqual(found.reconsumeTimes, 0);
});

test('messages with the same sharding key go to queues of the same number', async t => {
  const producer = await startedProducer(t);
  const topic = await createdTopic(producer, 'sharded');
  // The client knows queue 0 as "any queue", so a key that falls to it proves nothing.
  const queueOf = key => crypto.createHash('md5').update(key).digest().readUInt32BE() % QUEUES_PER_BROKER;
  const keys = numbered('key', 20).filter(key => queueOf(key) !== 0);
  const want = new Map();
  for (const [i, text] of numbered('sharded', 60).entries()) {
    const key = keys[i % keys.length];
    await producer.send(message(topic, text, { shardingKey: key }));
    want.set(text, queueOf(key));
  }
  const received = new Received();
  await startedConsumer(t, unique('group'), topic, '*', received.listener);
  await received.exactly([...want.keys()]);
  for (const { text, queueId } of received.messages) assert.strictEqual(queueId, want.get(text), text);
});

test('large bodies: compressed by the client, and noise that stays as long as it is', async t => {
  const producer = await startedProducer(t);
  const topic = await createdTopic(producer, 'large');
  const texts = ['large '.repeat(100000), crypto.randomBytes(50000).toString('hex')];
  for (const text of texts) await producer.send(message(topic, text));
  const received = new Received();
  await startedConsumer(t, unique('group'), topic, '*', received.listener);
  await received.exactly(texts);
});

test('a delayed message arrives later', async t => {
  const producer = await startedProducer(t);
  const topic = await createdTopic(producer, 'delayed');
  const delayed = message(topic, 'delayed');
  // The last level of the harness is three seconds.
  delayed.delayTimeLevel = 18;
  await producer.send(delayed);
  const received = new Received();
  await startedConsumer(t, unique('group'), topic, '*', received.listener);
  await received.exactly(['delayed']);
  const [found] = received.messages;
  assert.ok(found.storeTimestamp - found.bornTimestamp >= 3000);
});

test('a refused send is an error', async t => {
  const producer = await startedProducer(t, { retryTimesWhenSendFailed: 0 });
  const topic = await createdTopic(producer, 'refused');
  await assert.rejects(producer.send(message(topic, 'refused', { properties: { long: 'p'.repeat(40000) } })));
  const accepted = await producer.send(message(topic, 'accepted'));
  assert.strictEqual(accepted.sendStatus, 'SEND_OK');
});
