// The client protocol byte for byte: the same exchanges with lsys broker and with nats-server.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { brokers } from './lib/brokers.mjs';
import { temporaryFolder } from './lib/folders.mjs';
import { lsysOk, startLsys } from './lib/lsys.mjs';
import { RawNats } from './lib/raw_nats.mjs';
import { startTlsRelay } from './lib/tls_relay.mjs';
import { until } from './lib/wait.mjs';

const connect = (options = {}) => `CONNECT ${JSON.stringify({
  verbose: false, pedantic: false, headers: true, no_responders: true, protocol: 1, ...options,
})}\r\n`;
const CONNECT = connect();
const VERBOSE = connect({ verbose: true });

// What one client sends and gets. A row that `closes` ends with the end of the connection, the others with PONG.
const exchanges = [
  { name: 'PING is answered', send: `${CONNECT}PING\r\n`, expect: 'PONG\r\n' },
  { name: 'PING before CONNECT is answered', send: 'PING\r\n', expect: 'PONG\r\n' },
  { name: 'operations in any case and with bare LF', send: `${CONNECT}sub foo 1\nPub foo 2\r\nhi\r\n`,
    expect: 'MSG foo 1 2\r\nhi\r\n' },
  { name: 'runs of blanks and tabs', send: `${CONNECT}SUB  foo \t 1  \r\nPUB \t foo  2 \r\nhi\r\n`,
    expect: 'MSG foo 1 2\r\nhi\r\n' },
  { name: 'an empty message', send: `${CONNECT}SUB foo 1\r\nPUB foo 0\r\n\r\n`, expect: 'MSG foo 1 0\r\n\r\n' },
  { name: 'a payload of any bytes', send: `${CONNECT}SUB foo 1\r\nPUB foo 8\r\n\0\r\n\xffPUB\r\r\n`,
    expect: 'MSG foo 1 8\r\n\0\r\n\xffPUB\r\r\n' },
  { name: 'a reply subject', send: `${CONNECT}SUB foo 1\r\nPUB foo bar 2\r\nhi\r\n`, expect: 'MSG foo 1 bar 2\r\nhi\r\n' },
  { name: 'leading zeros of a size', send: `${CONNECT}SUB foo 1\r\nPUB foo 002\r\nhi\r\n`, expect: /^MSG foo 1 0*2\r\nhi\r\n/ },
  { name: 'a sid is any word', send: `${CONNECT}SUB foo s-1/x\r\nPUB foo 2\r\nhi\r\n`, expect: 'MSG foo s-1/x 2\r\nhi\r\n' },
  { name: 'INFO and +OK from a client mean nothing', send: `${CONNECT}INFO {}\r\n+OK\r\nPING\r\n`, expect: 'PONG\r\n' },
  { name: 'a second CONNECT changes options', send: `${CONNECT}CONNECT {"verbose":true}\r\nSUB foo 1\r\n`, expect: '+OK\r\n+OK\r\n' },

  { name: 'verbose: +OK for CONNECT, SUB, PUB, UNSUB, never for PING',
    send: `${VERBOSE}SUB foo 1\r\nPUB bar 0\r\n\r\nUNSUB 1\r\nUNSUB 77\r\nPING\r\n`, expect: '+OK\r\n'.repeat(5) + 'PONG\r\n' },
  { name: 'verbose is the default', send: 'CONNECT {}\r\nSUB foo 1\r\n', expect: '+OK\r\n+OK\r\n' },
  { name: 'verbose before CONNECT', send: 'SUB foo 1\r\n', expect: '+OK\r\n' },
  { name: 'pedantic: a bad subject is reported and routed',
    send: `${connect({ pedantic: true })}SUB foo.* 1\r\nPUB foo.* 2\r\nhi\r\n`,
    expect: "-ERR 'Invalid Publish Subject'\r\nMSG foo.* 1 2\r\nhi\r\n" },
  { name: 'not pedantic: a wildcard is published as it is', send: `${CONNECT}SUB foo.> 1\r\nPUB foo.* 2\r\nhi\r\n`,
    expect: 'MSG foo.* 1 2\r\nhi\r\n' },
  { name: 'an empty token matches nothing', send: `${CONNECT}SUB > 1\r\nPUB foo..a 2\r\nhi\r\nPUB .a 0\r\n\r\nPUB a. 0\r\n\r\n`,
    expect: '' },

  { name: 'wildcard *', send: `${CONNECT}SUB a.*.c 1\r\nPUB a.b.c 0\r\n\r\nPUB a.b.d 0\r\n\r\nPUB a.c 0\r\n\r\n`,
    expect: 'MSG a.b.c 1 0\r\n\r\n' },
  { name: 'wildcard > needs a token', send: `${CONNECT}SUB a.> 1\r\nPUB a 0\r\n\r\nPUB a.b.c 0\r\n\r\n`,
    expect: 'MSG a.b.c 1 0\r\n\r\n' },
  { name: 'a* and b> are literal', send: `${CONNECT}SUB a* 1\r\nSUB b> 2\r\nPUB ab 0\r\n\r\nPUB a* 0\r\n\r\nPUB b> 0\r\n\r\n`,
    expect: 'MSG a* 1 0\r\n\r\nMSG b> 2 0\r\n\r\n' },
  { name: 'UTF-8 in subjects', send: `${CONNECT}SUB \xc3\xa4.* 1\r\nPUB \xc3\xa4.\xc3\xb6 0\r\n\r\n`,
    expect: 'MSG \xc3\xa4.\xc3\xb6 1 0\r\n\r\n' },
  ...['a..b', '.a', 'a.', 'a.>.b', '>.a', '.'].map((subject) => ({
    name: `SUB ${subject} is refused`, send: `${CONNECT}SUB ${subject} 1\r\nPING\r\n`, expect: "-ERR 'Invalid Subject'\r\nPONG\r\n" })),

  { name: 'a sid in use keeps its first subscription', send: `${VERBOSE}SUB a 1\r\nSUB b 1\r\nPUB b 0\r\n\r\nPUB a 0\r\n\r\n`,
    expect: '+OK\r\n'.repeat(4) + '+OK\r\nMSG a 1 0\r\n\r\n' },
  { name: 'UNSUB ends it', send: `${CONNECT}SUB a 1\r\nUNSUB 1\r\nPUB a 0\r\n\r\n`, expect: '' },
  { name: 'UNSUB with a maximum', send: `${CONNECT}SUB a 1\r\nUNSUB 1 2\r\n${'PUB a 0\r\n\r\n'.repeat(4)}`,
    expect: 'MSG a 1 0\r\n\r\n'.repeat(2) },
  { name: 'UNSUB counts from the start of the subscription',
    send: `${CONNECT}SUB a 1\r\n${'PUB a 0\r\n\r\n'.repeat(2)}UNSUB 1 3\r\n${'PUB a 0\r\n\r\n'.repeat(3)}`,
    expect: 'MSG a 1 0\r\n\r\n'.repeat(3) },
  { name: 'UNSUB with a maximum that is reached ends it now',
    send: `${CONNECT}SUB a 1\r\n${'PUB a 0\r\n\r\n'.repeat(2)}UNSUB 1 2\r\nPUB a 0\r\n\r\n`, expect: 'MSG a 1 0\r\n\r\n'.repeat(2) },
  { name: 'UNSUB 0 is now', send: `${CONNECT}SUB a 1\r\nUNSUB 1 0\r\nPUB a 0\r\n\r\n`, expect: '' },
  { name: 'after UNSUB the sid is free', send: `${CONNECT}SUB a 1\r\nUNSUB 1\r\nSUB b 1\r\nPUB b 0\r\n\r\n`, expect: 'MSG b 1 0\r\n\r\n' },
  { name: 'echo false', send: `${connect({ echo: false })}SUB a 1\r\nPUB a 0\r\n\r\n`, expect: '' },
  { name: 'a queue group of one', send: `${CONNECT}SUB a q 1\r\nPUB a 0\r\n\r\n`, expect: 'MSG a 1 0\r\n\r\n' },
  { name: 'one member of a group over two subjects',
    send: `${CONNECT}SUB a.* q 1\r\nSUB a.b q 1x\r\nSUB a.> r 2\r\nPUB a.b 0\r\n\r\n`,
    check: (text) => assert.equal(text.match(/^MSG a.b 1x? 0\r\n/gm).length, 1) },

  { name: 'headers', send: `${CONNECT}SUB a 1\r\nHPUB a 18 20\r\nNATS/1.0\r\nA: b\r\n\r\nhi\r\n`,
    expect: 'HMSG a 1 18 20\r\nNATS/1.0\r\nA: b\r\n\r\nhi\r\n' },
  { name: 'headers with a reply', send: `${CONNECT}SUB a 1\r\nHPUB a r 12 12\r\nNATS/1.0\r\n\r\n\r\n`,
    expect: 'HMSG a 1 r 12 12\r\nNATS/1.0\r\n\r\n\r\n' },
  { name: 'HPUB without headers becomes MSG', send: `${CONNECT}SUB a 1\r\nHPUB a 0 2\r\nhi\r\n`, expect: 'MSG a 1 2\r\nhi\r\n' },
  { name: 'headers are not looked into', send: `${CONNECT}SUB a 1\r\nHPUB a 4 6\r\nabcdhi\r\n`, expect: 'HMSG a 1 4 6\r\nabcdhi\r\n' },

  { name: '503 when nobody listens', send: `${CONNECT}SUB r.* 1\r\nPUB svc r.x 2\r\nhi\r\n`,
    expect: /^HMSG r.x 1 16 16\r\nNATS\/1.0 503\r\n\r\n\r\n$/ },
  { name: 'no 503 to a queue subscription', send: `${CONNECT}SUB r.* q 1\r\nPUB svc r.x 2\r\nhi\r\n`, expect: '' },
  { name: 'no 503 without no_responders', send: `${connect({ no_responders: false })}SUB r 1\r\nPUB svc r 2\r\nhi\r\n`, expect: '' },
  { name: 'own interest without echo counts as nobody',
    send: `${connect({ echo: false })}SUB svc 1\r\nSUB r 2\r\nPUB svc r 2\r\nhi\r\n`, expect: 'HMSG r 2 16 16\r\nNATS/1.0 503\r\n\r\n\r\n' },
  { name: '503 does not count for UNSUB', send: `${CONNECT}SUB r 1\r\nUNSUB 1 1\r\nPUB svc r 0\r\n\r\nPUB svc r 0\r\n\r\n`,
    expect: 'HMSG r 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n'.repeat(2) },

  ...['FOO\r\n', '\r\n', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', 'PUBX a 1\r\n', 'PUB\r\n', 'SUB\r\n', 'PUB a 1\r\nxx\r\n',
    'PUB a 2\r\nhi\n\r\n', '{"a":1}\r\n'].map((sent) => ({
    name: `${JSON.stringify(sent)} is an unknown operation`, send: CONNECT + sent, closes: true,
    expect: "-ERR 'Unknown Protocol Operation'\r\n" })),
  ...['PUB a\r\n', 'PUB a x\r\n', 'PUB a -1\r\n', 'PUB a b c 1\r\n', 'PUB a 12345678901\r\n', 'SUB a\r\n', 'SUB a b c d\r\n',
    'UNSUB 1 2 3\r\n', 'HPUB a 1\r\n', 'HPUB a 4 2\r\n', 'CONNECT nonsense\r\n', 'CONNECT {"verbose":"x"}\r\n'].map((sent) => ({
    name: `${JSON.stringify(sent)} closes without a word`, send: CONNECT + sent, closes: true, expect: '' })),
  { name: 'HPUB without headers in CONNECT closes', send: `${connect({ headers: false, no_responders: false })}HPUB a 0 0\r\n\r\n`,
    closes: true, expect: '' },
  { name: 'a payload over the limit', send: `${CONNECT}PUB a 1048577\r\n`, closes: true, expect: "-ERR 'Maximum Payload Violation'\r\n" },
  { name: 'a control line over the limit', send: `${CONNECT}SUB ${'a'.repeat(4096)} 1\r\n`, closes: true,
    expect: "-ERR 'maximum control line exceeded'\r\n" },
  { name: 'a control line without end', send: `${CONNECT}PUB ${'a'.repeat(9000)}`, closes: true,
    expect: "-ERR 'maximum control line exceeded'\r\n" },
  { name: 'CONNECT over the limit', send: connect({ name: 'n'.repeat(5000) }), closes: true,
    expect: "-ERR 'maximum control line exceeded'\r\n" },
  { name: 'no_responders without headers', send: connect({ headers: false }), closes: true,
    expect: "-ERR 'no responders requires headers support'\r\n" },
  { name: 'an unknown protocol', send: connect({ protocol: 7 }), closes: true, expect: "-ERR 'invalid client protocol'\r\n" },
  { name: 'an account', send: connect({ account: 'A' }), closes: true, expect: "-ERR 'Authorization Violation'\r\n" },
];

async function run(t, port, { send, expect, closes, check }) {
  const raw = await RawNats.connect(t, port);
  raw.send(send);
  if (closes) await raw.untilClosed();
  else await raw.flush();
  const text = closes ? raw.transcript : raw.transcript.replace(/PONG\r\n$/, '');
  if (check) check(text);
  else if (expect instanceof RegExp) assert.match(text, expect);
  else assert.equal(text, expect);
}

describe('the client protocol of lsys over TLS', () => {
  let port;
  const ends = [];
  test('starts', async () => {
    const whole = { after: (end) => ends.push(end) };
    const folder = temporaryFolder(whole);
    const prefix = path.join(folder, 'server');
    await lsysOk(['ca', 'init', '--out', folder]);
    await lsysOk(['ca', 'issue', '--ca', folder, '--name', 'localhost', '--san', 'IP:127.0.0.1', '--out', prefix]);
    const broker = startLsys(whole, ['broker', '--listen', '127.0.0.1:0', '--tls-first', '--tls-cert', `${prefix}.pem`,
      '--tls-key', `${prefix}.key.pem`]);
    const [, listens] = await broker.untilOutput(/url=tls:\/\/127\.0\.0\.1:(\d+)/);
    port = await startTlsRelay(whole, Number(listens), readFileSync(path.join(folder, 'ca.pem')));
  });
  for (const exchange of exchanges) test(exchange.name, (t) => run(t, port, exchange));
  test('ends', async () => {
    for (const end of ends.reverse()) await end();
  });
});

for (const broker of brokers()) {
  describe(`the client protocol of ${broker.name}`, async () => {
    let server;
    test('starts', async (t) => {
      server = await broker.start({ after: (end) => ends.push(end) });
    });
    const ends = [];
    for (const exchange of exchanges) test(exchange.name, (t) => run(t, server.port, exchange));

    test('INFO says what clients need', async (t) => {
      const { info } = await RawNats.connect(t, server.port);
      assert.match(info.server_id, /^N[A-Z2-7]{55}$/);
      assert.match(info.version, /^\d+\.\d+\.\d+$/);
      assert.equal(info.proto, 1);
      assert.equal(info.headers, true);
      assert.equal(info.max_payload, 1048576);
      assert.equal(info.port, server.port);
      assert.equal(info.client_ip, '127.0.0.1');
      assert.equal(typeof info.client_id, 'number');
      for (const absent of ['auth_required', 'nonce', 'tls_required', 'jetstream', 'ldm']) assert.ok(!info[absent], absent);
    });

    test('headers are cut off for a client that does not know them', async (t) => {
      const plain = await RawNats.connect(t, server.port);
      plain.send(`${connect({ headers: false, no_responders: false })}SUB h 1\r\n`);
      await plain.flush();
      const publisher = await RawNats.connect(t, server.port);
      publisher.send(`${CONNECT}HPUB h r 12 14\r\nNATS/1.0\r\n\r\nhi\r\n`);
      await plain.untilText(/hi\r\n/);
      assert.equal(plain.transcript, 'PONG\r\nMSG h 1 r 2\r\nhi\r\n');
    });

    test('a message cut into single bytes arrives whole', async (t) => {
      const raw = await RawNats.connect(t, server.port);
      for (const byte of `${CONNECT}SUB cut 1\r\nPUB cut 5\r\nhello\r\n`) {
        raw.send(byte);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await raw.untilText(/MSG cut 1 +5\r\nhello\r\n/);
    });

    test('the largest payload goes through, also over many reads', async (t) => {
      const raw = await RawNats.connect(t, server.port);
      const payload = Buffer.alloc(1048576, 'x');
      raw.send(`${CONNECT}SUB big 1\r\nPUB big 1048576\r\n`);
      raw.socket.write(payload);
      raw.send('\r\n');
      await raw.flush();
      assert.ok(raw.received.subarray(-payload.length - 8, -8).equals(payload));
    });

    test('a queue group shares the messages', async (t) => {
      const members = [];
      for (let i = 0; i < 4; i++) members.push(await RawNats.connect(t, server.port));
      for (const member of members) {
        member.send(`${CONNECT}SUB work.* pool 1\r\n`);
        await member.flush();
      }
      const publisher = await RawNats.connect(t, server.port);
      publisher.send(CONNECT + 'PUB work.x 0\r\n\r\n'.repeat(400));
      await publisher.flush();
      const counts = () => members.map((member) => (member.text.match(/MSG work/g) ?? []).length);
      await until('400 deliveries', () => counts().reduce((sum, count) => sum + count) === 400);
      for (const count of counts()) assert.ok(count > 50, `shares are ${counts()}`);
    });

    test('subscriptions of a closed connection are gone', async (t) => {
      const gone = await RawNats.connect(t, server.port);
      gone.send(`${CONNECT}SUB leaving 1\r\n`);
      await gone.flush();
      gone.close();
      const requester = await RawNats.connect(t, server.port);
      requester.send(`${CONNECT}SUB r 1\r\n`);
      await until('503', async () => {
        requester.send('PUB leaving r 0\r\n\r\n');
        await requester.flush();
        return requester.text.includes('503');
      });
    });

    test('ends', async () => {
      for (const end of ends) await end();
    });
  });

  describe(`the limits of ${broker.name}`, () => {
    test('too many subscriptions', async (t) => {
      const { port } = await broker.start(t, { maxSubscriptions: 2 });
      const raw = await RawNats.connect(t, port);
      raw.send(`${CONNECT}SUB a 1\r\nSUB b 2\r\nSUB c 3\r\nUNSUB 1\r\nSUB d 4\r\n`);
      await raw.flush();
      assert.equal(raw.transcript, "-ERR 'maximum subscriptions exceeded'\r\nPONG\r\n");
    });

    test('too many connections', async (t) => {
      const { port } = await broker.start(t, { maxConnections: 2 });
      const first = await RawNats.connect(t, port);
      const second = await RawNats.connect(t, port);
      for (const raw of [first, second]) {
        raw.send(CONNECT);
        await raw.flush();
      }
      const third = await RawNats.connect(t, port);
      await third.untilClosed();
      assert.equal(third.transcript, "-ERR 'maximum connections exceeded'\r\n");
      second.close();
      await until('a place to be free again', async () => {
        const again = await RawNats.connect(t, port);
        again.send(`${CONNECT}PING\r\n`);
        return until('PONG', () => again.text.includes('PONG'), 200).catch(() => false);
      });
      await first.flush();
    });

    test('a client that never answers PING is stale', async (t) => {
      const { port } = await broker.start(t, { pingInterval: 1 });
      const raw = await RawNats.connect(t, port);
      raw.send(CONNECT);
      await raw.untilClosed(15_000);
      assert.equal(raw.transcript, "-ERR 'Stale Connection'\r\n");
      assert.ok(raw.text.split('PING\r\n').length - 1 >= 2);
    });
  });
}
