'use strict';

// Makes clients that end with the test, topics that are ready for use, and the few things that many tests do with them.

const assert = require('node:assert');
const net = require('node:net');
const { Consumer, Message, Producer } = require('ali-ons');

// For machines that are busy with other things; nothing waits it out when all is well.
const PATIENCE_MS = 60000;
const POLL_MS = 20;
const QUEUES_PER_BROKER = 4;

const nameservers = required('TERN_NAMESERVERS').split(';');
const brokers = required('TERN_BROKERS').split(',').map(pair => pair.split('=')[1]);

const run = `${Date.now().toString(36)}_${process.pid}`;
let counter = 0;
// Clients that have been started and not ended.
let open = 0;

// A client that is closed while it does something in the background may connect again, for nobody. That must not keep the
// process alive when all tests are done.
setInterval(() => {
  if (open > 0) return;
  for (const handle of process._getActiveHandles()) {
    if (handle instanceof net.Socket && handle.remotePort) handle.unref();
  }
}, 100).unref();

function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is needed: TERN_NAMESERVERS=host:port;... and TERN_BROKERS=name=host:port,...`);
  return value;
}

/** A name that no other test and no other run uses. */
function unique(hint) {
  return `${hint}_${run}_${++counter}`;
}

/** Polls until the condition gives something true, which it returns. An exception out of it means "not yet". */
async function until(condition, state) {
  let last = null;
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end;) {
    try {
      const value = await condition();
      if (value) return value;
      last = null;
    } catch (error) {
      last = error;
    }
    await new Promise(resolve => setTimeout(resolve, POLL_MS));
  }
  throw new Error(`after ${PATIENCE_MS} ms: ${state()}`, { cause: last });
}

/** Every client has an instance of its own: no connection, and no table, is shared between two of them. */
function configured(options) {
  return {
    // The client insists on something that could fetch the addresses of nameservers. Nothing here needs it.
    httpclient: {},
    logger: { debug() {}, info() {}, warn() {}, error: console.error },
    nameSrv: nameservers,
    clientIP: '127.0.0.1',
    instanceName: unique('instance'),
    // Topics that come into being while a client runs, such as its group's retries, are found soon, not in half a minute.
    pollNameServerInteval: 1000,
    rebalanceInterval: 1000,
    heartbeatBrokerInterval: 5000,
    ...options,
  };
}

/** The clients share a producer that the client makes by itself, and that nobody else closes. */
async function end(client) {
  await client.close();
  if (open === 1 && Producer.defaultProducer) {
    const shared = Producer.defaultProducer;
    Producer.defaultProducer = null;
    await shared.close();
  }
  open--;
}

async function startedProducer(t, options) {
  const producer = new Producer(configured({ producerGroup: unique('producers'), ...options }));
  producer.on('error', () => {});
  open++;
  t.after(() => end(producer));
  await producer.ready();
  return producer;
}

/** `stop` ends it before the test's end. Errors are events: among them that the group's retry topic has no route yet. */
async function startedConsumer(t, group, topic, tags, listener, options) {
  const consumer = new Consumer(configured({
    consumerGroup: group,
    consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
    ...options,
  }));
  consumer.on('error', () => {});
  open++;
  let stopped = false;
  consumer.stop = async () => {
    if (!stopped) {
      stopped = true;
      await end(consumer);
    }
  };
  t.after(() => consumer.stop());
  consumer.subscribe(topic, tags, async message => listener(message));
  await consumer.ready();
  return consumer;
}

/** The producer of this client wants a topic that is there. Returns when the nameserver tells of all its queues. */
async function createdTopic(producer, hint) {
  const topic = unique(hint);
  for (const address of brokers) {
    await producer._mqClient.createTopic(address, 'TBW102', {
      topicName: topic,
      readQueueNums: QUEUES_PER_BROKER,
      writeQueueNums: QUEUES_PER_BROKER,
      perm: 6,
      topicFilterType: 'SINGLE_TAG',
      topicSysFlag: 0,
      order: false,
    }, 5000);
  }
  await until(async () => {
    const route = await producer._mqClient.getTopicRouteInfoFromNameServer(topic, 3000);
    return route.queueDatas.length === brokers.length;
  }, () => `no route with all queues of ${topic}`);
  return topic;
}

function message(topic, text, { tag, keys, properties, shardingKey } = {}) {
  const made = tag ? new Message(topic, tag, text) : new Message(topic, text);
  if (keys) made.keys = keys;
  if (shardingKey) made.shardingKey = shardingKey;
  Object.assign(made.properties, properties);
  return made;
}

async function sendAll(producer, topic, texts) {
  for (const text of texts) {
    await producer.send(message(topic, text));
  }
}

function numbered(prefix, count) {
  return Array.from({ length: count }, (_, i) => `${prefix}-${i}`);
}

/** What listeners got, in the order in which they did; as it was then, since the client goes on writing to its own. */
class Received {
  constructor() {
    this.messages = [];
    this.listener = received => this.add(received);
  }

  add(received) {
    this.messages.push({
      text: received.body.toString(),
      topic: received.topic,
      msgId: received.msgId,
      tags: received.tags,
      keys: received.keys,
      properties: { ...received.properties },
      queueId: received.queueId,
      reconsumeTimes: received.reconsumeTimes,
      bornTimestamp: Number(received.bornTimestamp),
      storeTimestamp: Number(received.storeTimestamp),
    });
  }

  get texts() {
    return this.messages.map(({ text }) => text);
  }

  /** Waits until each of the texts has come. There may be others, or the same again. */
  async all(texts) {
    const missing = () => {
      const have = new Set(this.texts);
      return texts.filter(text => !have.has(text));
    };
    await until(() => missing().length === 0, () => `of ${texts.length} messages are missing: ${missing()}`);
  }

  /** Waits until the texts have come: each of them once, and no other. */
  async exactly(texts) {
    await this.all(texts);
    assert.deepStrictEqual(this.texts.sort(), [...texts].sort());
  }
}

/** The queues of the topic that this consumer owns now. */
function owned(consumer, topic) {
  return [...consumer.processQueueTable.values()].filter(({ messageQueue }) => messageQueue.topic === topic)
    .map(({ messageQueue }) => `${messageQueue.brokerName}/${messageQueue.queueId}`);
}

/** Until the client itself has noted that it is through with all that it has pulled. */
async function consumed(consumer) {
  await until(() => [...consumer.processQueueTable.values()].every(({ processQueue }) => processQueue.msgCount === 0),
    () => 'pulled messages are still being consumed');
}

module.exports = {
  Consumer, QUEUES: QUEUES_PER_BROKER * brokers.length, QUEUES_PER_BROKER, Received, consumed, createdTopic,
  message, numbered, owned, sendAll, startedConsumer, startedProducer, unique, until,
};
