// Stock NATS clients against lsys broker and against nats-server: both must behave alike.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import * as transport from '@nats-io/transport-node';
import * as nats from 'nats';
import { brokers } from './lib/brokers.mjs';
import { RawNats } from './lib/raw_nats.mjs';
import { until } from './lib/wait.mjs';

const clients = [
  { name: 'npm nats 2', connect: nats.connect, headers: nats.headers },
  { name: '@nats-io/transport-node 3', connect: transport.connect, headers: transport.headers },
];

/// Connects, and closes when the test ends.
async function open(t, connect, port, options = {}) {
  const connection = await connect({ servers: `127.0.0.1:${port}`, reconnect: false, timeout: 5000, ...options });
  t.after(() => connection.close());
  return connection;
}

/// Collects what a subscription receives.
function collect(subscription) {
  const messages = [];
  (async () => {
    for await (const message of subscription) messages.push(message);
  })().catch(() => {});
  return messages;
}

for (const broker of brokers()) {
  for (const { name, connect, headers } of clients) {
    describe(`${name} with ${broker.name}`, () => {
      test('publish, subscribe, wildcards, unsubscribe', async (t) => {
        const { port } = await broker.start(t);
        const subscriber = await open(t, connect, port);
        const publisher = await open(t, connect, port);
        const exact = collect(subscriber.subscribe('orders.eu.created'));
        const star = collect(subscriber.subscribe('orders.*.created'));
        const tail = collect(subscriber.subscribe('orders.>'));
        const two = collect(subscriber.subscribe('orders.>', { max: 2 }));
        await subscriber.flush();
        publisher.publish('orders.eu.created', 'one');
        publisher.publish('orders.us.created', 'two');
        publisher.publish('orders.us.paid', 'three');
        await until('all messages', () => tail.length === 3 && star.length === 2 && exact.length === 1 && two.length === 2);
        assert.deepEqual(tail.map((message) => message.string()), ['one', 'two', 'three']);
        assert.equal(star[1].subject, 'orders.us.created');
        await subscriber.flush();
        assert.equal(two.length, 2);
      });

      test('requests, also many at once, and 503 when nobody answers', async (t) => {
        const { port } = await broker.start(t);
        const service = await open(t, connect, port);
        const requester = await open(t, connect, port);
        service.subscribe('double', { callback: (_, message) => message.respond(`${Number(message.string()) * 2}`) });
        await service.flush();
        const answers = await Promise.all(Array.from({ length: 500 }, (_, i) => requester.request('double', `${i}`, { timeout: 5000 })));
        answers.forEach((answer, i) => assert.equal(answer.string(), `${2 * i}`));
        await assert.rejects(requester.request('nobody', '', { timeout: 5000 }),
          (error) => error.code === '503' || /no responders/i.test(error.message));
      });

      test('headers', async (t) => {
        const { port } = await broker.start(t);
        const connection = await open(t, connect, port);
        const received = collect(connection.subscribe('h'));
        const head = headers();
        head.set('Trace', 'ä-1');
        head.append('Many', 'a');
        head.append('Many', 'b');
        connection.publish('h', 'body', { headers: head });
        await until('the message', () => received.length === 1);
        assert.equal(received[0].headers.get('Trace'), 'ä-1');
        assert.deepEqual(received[0].headers.values('Many'), ['a', 'b']);
        assert.equal(received[0].string(), 'body');
      });

      test('a queue group, and drain', async (t) => {
        const { port } = await broker.start(t);
        const publisher = await open(t, connect, port);
        const workers = [];
        for (let i = 0; i < 3; i++) {
          const connection = await open(t, connect, port);
          workers.push({ connection, received: collect(connection.subscribe('jobs', { queue: 'pool' })) });
          await connection.flush();
        }
        for (let i = 0; i < 300; i++) publisher.publish('jobs', `${i}`);
        await publisher.flush();
        await workers[0].connection.drain();
        for (let i = 300; i < 600; i++) publisher.publish('jobs', `${i}`);
        const all = () => workers.flatMap(({ received }) => received.map((message) => Number(message.string())));
        await until('600 jobs', () => all().length === 600);
        assert.deepEqual(all().sort((a, b) => a - b), Array.from({ length: 600 }, (_, i) => i));
      });

      test('a burst of large messages arrives whole and in order', async (t) => {
        const { port } = await broker.start(t);
        const subscriber = await open(t, connect, port);
        const publisher = await open(t, connect, port);
        const received = collect(subscriber.subscribe('big'));
        await subscriber.flush();
        const payloads = Array.from({ length: 40 }, (_, i) => Buffer.alloc(700_000 + i, i));
        for (const payload of payloads) publisher.publish('big', payload);
        await until('all of them', () => received.length === payloads.length, 30_000);
        const digest = (bytes) => createHash('sha256').update(bytes).digest('hex');
        received.forEach((message, i) => assert.equal(digest(message.data), digest(payloads[i])));
      });

      test('user and password', async (t) => {
        const { port } = await broker.start(t, { users: [{ user: 'app', password: 'right' }, { user: 'ops', password: 'other' }] });
        const connection = await open(t, connect, port, { user: 'app', pass: 'right' });
        await connection.flush();
        for (const wrong of [{}, { user: 'app', pass: 'wrong' }, { user: 'app' }, { user: 'nobody', pass: 'right' },
          { user: 'app', pass: 'other' }, { token: 'right' }]) {
          await assert.rejects(open(t, connect, port, wrong), /authorization/i);
        }
      });

      test('a token', async (t) => {
        const { port } = await broker.start(t, { token: 's3cret-token' });
        await (await open(t, connect, port, { token: 's3cret-token' })).flush();
        await assert.rejects(open(t, connect, port, { token: 's3cret-toke' }), /authorization/i);
        await assert.rejects(open(t, connect, port), /authorization/i);
      });

      test('an NKey signs the nonce', async (t) => {
        const library = connect === nats.connect ? nats : transport;
        const user = library.nkeys.createUser();
        const nkey = user.getPublicKey();
        const { port } = await broker.start(t, { users: [{ nkey }] });
        const authenticator = library.nkeyAuthenticator(user.getSeed());
        await (await open(t, connect, port, { authenticator })).flush();
        await assert.rejects(open(t, connect, port), /authorization/i);
        const raw = await RawNats.connect(t, port);
        assert.match(raw.info.nonce, /^[A-Za-z0-9_-]{15}$/);
        const forged = Buffer.alloc(64, 7).toString('base64url');
        raw.send(`CONNECT {"nkey":"${nkey}","sig":"${forged}"}\r\n`);
        await raw.untilClosed();
        assert.equal(raw.transcript, "-ERR 'Authorization Violation'\r\n");
      });
    });
  }

  describe(`users of ${broker.name}, on the wire`, () => {
    const users = [
      { user: 'limited', password: 'p', permissions: {
        publish: { allow: ['ok.>', 'reply'], deny: ['ok.secret'] },
        subscribe: { allow: ['in.>', 'wq.> grp', '_INBOX.>'], deny: ['in.secret'] },
      } },
      { user: 'service', password: 'p', permissions: { subscribe: ['svc'], allow_responses: { max: 2, expires: '1m' } } },
      { user: 'admin', password: 'p' },
    ];
    const login = (user, extra = '') => `CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":true,"user":"${user}","pass":"p"${extra}}\r\n`;

    async function connected(t, port, user) {
      const raw = await RawNats.connect(t, port);
      raw.send(login(user));
      await raw.flush();
      return raw;
    }

    test('nothing but CONNECT before authentication', async (t) => {
      const { port } = await broker.start(t, { users });
      for (const first of ['PING\r\n', 'SUB a 1\r\n', 'PUB a 1000000\r\n', 'x']) {
        const raw = await RawNats.connect(t, port);
        assert.equal(raw.info.auth_required, true);
        raw.send(first);
        await raw.untilClosed();
        assert.equal(raw.transcript, "-ERR 'Authorization Violation'\r\n");
      }
    });

    test('silence until the timeout', async (t) => {
      const { port } = await broker.start(t, { users });
      const raw = await RawNats.connect(t, port);
      raw.send('CONNECT {"user":');
      await raw.untilClosed();
      assert.equal(raw.transcript, "-ERR 'Authentication Timeout'\r\n");
    });

    const violations = [
      ['PUB other 1\r\nx\r\n', "-ERR 'Permissions Violation for Publish to \"other\"'\r\n"],
      ['PUB ok.secret 1\r\nx\r\n', "-ERR 'Permissions Violation for Publish to \"ok.secret\"'\r\n"],
      ['PUB ok.fine 1\r\nx\r\n', ''],
      ['SUB other 1\r\n', "-ERR 'Permissions Violation for Subscription to \"other\"'\r\n"],
      ['SUB in.secret 1\r\n', "-ERR 'Permissions Violation for Subscription to \"in.secret\"'\r\n"],
      ['SUB in.fine 1\r\n', ''],
      ['SUB wq.a grp 1\r\n', ''],
      ['SUB wq.a 1\r\n', "-ERR 'Permissions Violation for Subscription to \"wq.a\"'\r\n"],
      ['SUB wq.a other 1\r\n', "-ERR 'Permissions Violation for Subscription to \"wq.a\" using queue \"other\"'\r\n"],
      ['SUB > 1\r\n', "-ERR 'Permissions Violation for Subscription to \">\"'\r\n"],
    ];
    test('permissions are enforced with the exact errors, and the connection stays', async (t) => {
      const { port } = await broker.start(t, { users });
      for (const [sent, expected] of violations) {
        const raw = await connected(t, port, 'limited');
        raw.send(sent);
        await raw.flush();
        assert.equal(raw.transcript, `PONG\r\n${expected}PONG\r\n`, sent);
      }
    });

    test('what is denied inside a permitted wildcard is not delivered', async (t) => {
      const { port } = await broker.start(t, { users });
      const limited = await connected(t, port, 'limited');
      limited.send('SUB in.* 1\r\nSUB in.> 2\r\n');
      await limited.flush();
      const admin = await connected(t, port, 'admin');
      admin.send('PUB in.secret 1\r\nx\r\nPUB in.open 1\r\ny\r\n');
      await limited.untilText(/in\.open 2/);
      await limited.flush();
      assert.doesNotMatch(limited.text, /in\.secret/);
      assert.match(limited.text, /in\.open 1/);
    });

    test('allow_responses opens the reply subject of a request, and nothing else', async (t) => {
      const { port } = await broker.start(t, { users });
      const service = await connected(t, port, 'service');
      service.send('SUB svc 1\r\n');
      await service.flush();
      const admin = await connected(t, port, 'admin');
      admin.send('SUB answer 1\r\nPUB svc answer 1\r\nx\r\n');
      await service.untilText(/MSG svc 1 answer 1/);
      service.send('PUB answer 1\r\n1\r\nPUB answer 1\r\n2\r\nPUB answer 1\r\n3\r\nPUB elsewhere 1\r\n4\r\n');
      await service.untilText(/"elsewhere"/);
      await admin.flush();
      assert.match(admin.text, /\r\n1\r\n[^]*\r\n2\r\n/);
      assert.doesNotMatch(admin.text, /\r\n3\r\n/);
      assert.match(service.text, /-ERR 'Permissions Violation for Publish to "answer"'/);
      assert.match(service.text, /-ERR 'Permissions Violation for Publish to "elsewhere"'/);
    });
  });
}
