// What people do to a broker who mean it no good, and what careless clients do: others must not notice.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import { networkInterfaces } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { startLsysBroker } from './lib/brokers.mjs';
import { temporaryFolder } from './lib/folders.mjs';
import { binary, start, startLsys } from './lib/lsys.mjs';
import { freePort } from './lib/ports.mjs';
import { descriptorsCount, openDescriptors, residentBytes } from './lib/processes.mjs';
import { RawNats } from './lib/raw_nats.mjs';
import { until } from './lib/wait.mjs';

const CONNECT = 'CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":true}\r\n';
const MEGABYTE = 1024 * 1024;

/// AddressSanitizer keeps freed memory and shadows the rest: sizes mean nothing there.
const memoryCounts = !binary.includes('asan');

async function connected(t, port, more = '') {
  const raw = await RawNats.connect(t, port);
  raw.send(CONNECT + more);
  await raw.flush();
  return raw;
}

/// A subscriber that counts what it gets, checks the order of the numbers in the payloads, and answers PING, which
/// comes between messages when they take their time.
async function counting(t, port, subject, size) {
  const raw = await connected(t, port, `SUB ${subject} 1\r\n`);
  const head = Buffer.from(`MSG ${subject} 1 ${size}\r\n`);
  const frame = head.length + size + 2;
  const ping = Buffer.from('PING\r\n');
  let rest = Buffer.alloc(0);
  const state = { raw, count: 0 };
  raw.socket.removeAllListeners('data');
  raw.socket.on('data', (piece) => {
    rest = Buffer.concat([rest, piece]);
    let at = 0;
    for (;;) {
      if (rest.subarray(at, at + ping.length).equals(ping)) {
        at += ping.length;
        raw.send('PONG\r\n');
        continue;
      }
      if (rest.length - at < frame) break;
      assert.equal(rest.readUInt32LE(at + head.length), state.count);
      state.count++;
      at += frame;
    }
    rest = rest.subarray(at);
  });
  return state;
}

/// Publishes `count` numbered messages as fast as the broker takes them.
async function publish(raw, subject, size, count) {
  const head = Buffer.from(`PUB ${subject} ${size}\r\n`);
  const batch = 64;
  for (let first = 0; first < count; first += batch) {
    const messages = Math.min(batch, count - first);
    const block = Buffer.alloc(messages * (head.length + size + 2), 'x');
    for (let i = 0; i < messages; i++) {
      const at = i * (head.length + size + 2);
      head.copy(block, at);
      block.writeUInt32LE(first + i, at + head.length);
      block.write('\r\n', at + head.length + size);
    }
    if (!raw.socket.write(block)) await new Promise((resolve) => raw.socket.once('drain', resolve));
  }
}

describe('slow consumers', () => {
  test('one that stopped reading is cut off, memory stays bounded, others get everything', async (t) => {
    const broker = await startLsysBroker(t, { flags: ['--max-pending', `${16 * MEGABYTE}`] });
    const stopped = await connected(t, broker.port, 'SUB flood 1\r\n');
    stopped.socket.pause();
    const healthy = await counting(t, broker.port, 'flood', 4096);
    const publisher = await connected(t, broker.port);
    const count = 30_000;
    await publish(publisher, 'flood', 4096, count);
    await until('the healthy consumer to have it all', () => healthy.count === count, 30_000);
    await until('the stopped one to be cut off', () => /slow consumer/.test(broker.process.output));
    if (memoryCounts) assert.ok(residentBytes(broker.process.pid) < 64 * MEGABYTE);
    await publisher.flush();
    stopped.socket.resume();
    await stopped.untilClosed();
    assert.doesNotMatch(stopped.text.slice(-200), /-ERR/);
  });

  test('one that stopped with less than the limit waiting is cut off by the write deadline', async (t) => {
    const broker = await startLsysBroker(t, { flags: ['--write-deadline', '1s'] });
    const stopped = await connected(t, broker.port, 'SUB flood 1\r\n');
    stopped.socket.pause();
    const publisher = await connected(t, broker.port);
    await publish(publisher, 'flood', 65536, 300);
    await until('the stopped one to be cut off', () => /did not take what was waiting/.test(broker.process.output), 15_000);
    await publisher.flush();
  });

  test('one that is only slower than the publisher slows it down and loses nothing', async (t) => {
    const broker = await startLsysBroker(t, { flags: ['--max-pending', `${4 * MEGABYTE}`] });
    const slow = await counting(t, broker.port, 'steady', 16384);
    const publisher = await connected(t, broker.port);
    let reading = true;
    const pace = setInterval(() => {
      reading = !reading;
      if (reading) slow.raw.socket.resume();
      else slow.raw.socket.pause();
    }, 20);
    t.after(() => clearInterval(pace));
    const count = 8000;
    await publish(publisher, 'steady', 16384, count);
    await until('everything to arrive', () => slow.count === count, 60_000);
    assert.doesNotMatch(broker.process.output, /slow consumer/);
  });

  test('many that stopped together stay below the bound for all', async (t) => {
    const broker = await startLsysBroker(t, { flags: ['--max-pending-total', `${32 * MEGABYTE}`] });
    const stopped = [];
    for (let i = 0; i < 20; i++) {
      stopped.push(await connected(t, broker.port, 'SUB flood 1\r\n'));
      stopped[i].socket.pause();
    }
    const publisher = await connected(t, broker.port);
    await publish(publisher, 'flood', 65536, 500);
    await publisher.flush();
    await until('one to be cut off', () => /slow consumer/.test(broker.process.output));
    if (memoryCounts) assert.ok(residentBytes(broker.process.pid) < 96 * MEGABYTE);
  });
});

describe('nonsense', () => {
  test('random bytes, half frames and sudden ends from a thousand connections leave no trace', async (t) => {
    const broker = await startLsysBroker(t);
    const healthy = await connected(t, broker.port, 'SUB ok 1\r\n');
    const before = openDescriptors(broker.process.pid);
    const pieces = ['PUB a 100000\r\nabc', 'SUB', `${CONNECT}SUB x.> 1\r\nPUB x.y 5\r\nhel`, 'CONNECT {"a":', 'PUB ' + 'a.'.repeat(1500),
      `${CONNECT}HPUB a 500 600\r\nNATS/1.0`, '\0\0\0\0', '\x16\x03\x01\x02\0\x01', 'PING\r\nPING\r\nPI', '-ERR \'x\'\r\n'];
    for (let round = 0; round < 20; round++) {
      await Promise.all(Array.from({ length: 50 }, (_, i) => new Promise((resolve) => {
        const socket = net.connect(broker.port, '127.0.0.1', () => {
          socket.write(pieces[(round + i) % pieces.length], 'latin1', () => {
            if (i % 2) socket.resetAndDestroy();
            else socket.destroy();
          });
        });
        socket.on('error', () => {});
        socket.on('close', resolve);
      })));
      healthy.send('PUB ok 2\r\nhi\r\n');
      await healthy.flush();
    }
    assert.equal(healthy.text.match(/MSG ok 1 2\r\nhi\r\n/g).length, 20);
    await until('all descriptors to be free again', () => openDescriptors(broker.process.pid) <= before);
  });

  test('a subject of a megabyte is a control line violation', async (t) => {
    const broker = await startLsysBroker(t);
    const raw = await connected(t, broker.port);
    raw.send(`PUB ${'a'.repeat(MEGABYTE)} 1\r\nx\r\n`);
    await raw.untilClosed();
    assert.match(raw.transcript, /-ERR 'maximum control line exceeded'\r\n$/);
    await connected(t, broker.port);
  });

  test('many unfinished messages stay below the bound for all', async (t) => {
    const broker = await startLsysBroker(t, { flags: ['--max-payload', `${MEGABYTE}`, '--max-pending', `${MEGABYTE}`,
      '--max-pending-total', `${8 * MEGABYTE}`] });
    const clients = [];
    for (let i = 0; i < 20; i++) {
      clients.push(await connected(t, broker.port));
      clients[i].send(`PUB a ${MEGABYTE}\r\n${'x'.repeat(MEGABYTE - 1000)}`);
    }
    await until('some to be closed', () => clients.filter((client) => client.ended).length >= 12);
    assert.match(broker.process.output, /have not come whole/);
    const survivor = clients.find((client) => !client.ended);
    survivor.send(`${'x'.repeat(1000)}\r\n`);
    await survivor.flush();
    if (memoryCounts) assert.ok(residentBytes(broker.process.pid) < 24 * MEGABYTE);
  });

  test('subscriptions by the ten thousand, as deep and wild as they can be', async (t) => {
    const broker = await startLsysBroker(t);
    const raw = await connected(t, broker.port);
    const started = residentBytes(broker.process.pid);
    const deep = 'a.'.repeat(2000);
    let sent = '';
    for (let i = 0; i < 300; i++) sent += `SUB ${deep}${i} d${i}\r\nSUB ${'*.'.repeat(i + 1)}> w${i}\r\n`;
    for (let i = 0; i < 20_000; i++) sent += `SUB s.${i % 100}.*.${i} q${i} ${i}\r\n`;
    raw.send(sent);
    await raw.flush();
    raw.send(`PUB ${deep}7 1\r\nx\r\nPUB s.1.x.1 1\r\nx\r\n`);
    await raw.flush();
    assert.match(raw.text, /MSG s\.1\.x\.1 1 1\r\n/);
    assert.match(raw.text, / d7 1\r\n/);
    raw.close();
    const other = await connected(t, broker.port, 'SUB s.1.x.1 1\r\nPUB s.1.x.1 1\r\nx\r\n');
    await other.untilText(/MSG s\.1\.x\.1 1 1/);
    if (memoryCounts) {
      await until('memory to be given back', () => residentBytes(broker.process.pid) < started + 40 * MEGABYTE);
    }
  });

  test('one publisher with very many receivers leaves room for others', async (t) => {
    const broker = await startLsysBroker(t);
    const receiver = await connected(t, broker.port, Array.from({ length: 2000 }, (_, i) => `SUB fan ${i}\r\n`).join(''));
    let bytes = 0;
    receiver.socket.removeAllListeners('data');
    receiver.socket.on('data', (piece) => {
      bytes += piece.length;
    });
    const other = await connected(t, broker.port);
    const publisher = await connected(t, broker.port);
    publisher.send('PUB fan 16\r\n0123456789abcdef\r\n'.repeat(1000));
    for (let i = 0; i < 10; i++) {
      const before = performance.now();
      await other.flush();
      assert.ok(performance.now() - before < 1000, 'PONG came late');
    }
    await until('two million deliveries', () => bytes >= 2000 * 1000 * 'MSG fan 1 16\r\n0123456789abcdef\r\n'.length, 60_000);
  });
});

describe('too many connections', () => {
  test('descriptors run out and come back', async (t) => {
    const port = await freePort();
    const broker = start(t, '/bin/sh', ['-c', 'ulimit -n 64; exec "$0" broker --listen "127.0.0.1:$1"', binary, `${port}`]);
    await broker.untilOutput(/listening/);
    const first = await connected(t, port, 'SUB a 1\r\n');
    const flood = Array.from({ length: 200 }, () => net.connect(port, '127.0.0.1'));
    for (const socket of flood) socket.on('error', () => {});
    await broker.untilOutput(/connections have to wait/);
    first.send('PUB a 2\r\nhi\r\n');
    await first.untilText(/MSG a 1 2\r\nhi/);
    for (const socket of flood) socket.destroy();
    const again = await connected(t, port);
    again.send('PUB a 3\r\nhey\r\n');
    await first.untilText(/MSG a 1 3\r\nhey/);
  });

  test('a soft limit of descriptors is raised to the hard one', async (t) => {
    const port = await freePort();
    const broker = start(t, '/bin/sh', ['-c', 'ulimit -Hn 512; ulimit -Sn 64; exec "$0" broker --listen "127.0.0.1:$1"', binary, `${port}`]);
    await broker.untilOutput(/listening/);
    const clients = await Promise.all(Array.from({ length: 300 }, () => connected(t, port)));
    assert.equal(clients.length, 300);
    assert.doesNotMatch(broker.output, /connections have to wait/);
  });

  test('connections that do not log in leave descriptors for those that do', async (t) => {
    const folder = temporaryFolder(t);
    writeFileSync(path.join(folder, 'token'), 'secret', { mode: 0o600 });
    const port = await freePort();
    const broker = start(t, '/bin/sh', ['-c', 'ulimit -n 64; exec "$0" broker --listen "127.0.0.1:$1" --auth-timeout 20s ' +
      '--token-file "$2"', binary, `${port}`, path.join(folder, 'token')]);
    await broker.untilOutput(/listening/);
    const silent = Array.from({ length: 100 }, () => net.connect(port, '127.0.0.1'));
    for (const socket of silent) socket.on('error', () => {}).resume();
    t.after(() => silent.forEach((socket) => socket.destroy()));
    await until('half of the descriptors to be in use', () => silent.filter((socket) => !socket.closed).length === 32);
    const raw = await RawNats.connect(t, port);
    raw.send('CONNECT {"verbose":false,"auth_token":"secret"}\r\n');
    await raw.flush();
    assert.doesNotMatch(broker.output, /connections have to wait/);
  });

  test('connections that do not log in keep nobody out, of their own address neither', async (t) => {
    const own = Object.values(networkInterfaces()).flat().find(({ family, internal }) => family === 'IPv4' && !internal);
    if (!own) return t.skip('this machine has no address but loopback');
    const folder = temporaryFolder(t);
    writeFileSync(path.join(folder, 'token'), 'secret', { mode: 0o600 });
    const port = await freePort();
    const broker = startLsys(t, ['broker', '--listen', `0.0.0.0:${port}`, '--insecure-listen', '--token-file',
      path.join(folder, 'token'), '--auth-timeout', '20s']);
    await broker.untilOutput(/listening/);
    const logIn = async (host) => {
      const raw = await RawNats.connect(t, port, host);
      raw.send('CONNECT {"verbose":false,"auth_token":"secret"}\r\n');
      await raw.flush();
      return raw;
    };
    const early = await logIn(own.address);
    const silent = [];
    const open = () => silent.filter((socket) => !socket.closed).length;
    t.after(() => silent.forEach((socket) => socket.destroy()));
    for (let i = 0; i < 300; i++) {
      const socket = net.connect(port, own.address);
      socket.on('error', () => {});
      socket.resume();
      silent.push(socket);
      await once(socket, 'connect');
    }
    await until('the oldest to be turned away', () => open() === 256);
    assert.ok(silent.slice(0, 44).every((socket) => socket.closed), 'the oldest, and nobody else');
    const fresh = await logIn(own.address);
    await until('one more to make room', () => open() === 255);
    await early.flush();
    await fresh.flush();
    await logIn('127.0.0.1');
    assert.match(broker.output, /too many of its address are not authenticated/);
  });

  test('two thousand connects at once are all served', async (t) => {
    const broker = await startLsysBroker(t);
    const sockets = Array.from({ length: 2000 }, () => net.connect(broker.port, '127.0.0.1'));
    let pongs = 0;
    for (const socket of sockets) {
      socket.on('error', () => {});
      socket.on('data', (piece) => {
        if (piece.includes('INFO')) socket.write(`${CONNECT}PING\r\n`);
        if (piece.includes('PONG')) pongs++;
      });
    }
    t.after(() => sockets.forEach((socket) => socket.destroy()));
    await until('2000 PONGs', () => pongs === 2000, 30_000);
    if (memoryCounts) assert.ok(residentBytes(broker.process.pid) < 16 * MEGABYTE);
    const before = openDescriptors(broker.process.pid);
    assert.ok(before > 2000 || !descriptorsCount);
    for (const socket of sockets) socket.destroy();
    await until('them to be gone', () => openDescriptors(broker.process.pid) < before - 1990 || !descriptorsCount);
  });
});
