// license.cache.changed on NATS: what the master publishes, what a slave makes of it, and of what others publish.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { connect } from 'nats';
import { Master, Slave, fastTimes } from './lib/cache.mjs';
import { startLsysBroker } from './lib/brokers.mjs';
import { temporaryFolder } from './lib/folders.mjs';
import { until } from './lib/wait.mjs';
import { Vendor } from './lib/vendor.mjs';

const SUBJECT = 'license.cache.changed';
const folder = temporaryFolder({ after });
let vendor;

before(async () => {
  vendor = await Vendor.create(folder);
});

const issue = (id, flags = []) => vendor.issue(`${id}.lic`, ['--license-id', id, '--valid-for', '60d', ...flags]);

/// No sync in the time of a test but those that something causes.
const still = fastTimes({ LICENSE_CACHE_TTL: '600000', BACKGROUND_SYNC_INTERVAL: '600000' });

async function listen(t, broker) {
  const nc = await connect({ servers: `127.0.0.1:${broker.port}` });
  t.after(() => nc.close());
  const heard = [];
  nc.subscribe(SUBJECT, { callback: (_, message) => {
    try { heard.push(message.json()); } catch { /* a test's own nonsense */ }
  } });
  await nc.flush();
  return { nc, heard };
}

const nats = (broker) => ['--nats', `nats://127.0.0.1:${broker.port}`];

/// A master and a slave on a broker, without a WebSocket between them.
async function site(t) {
  const broker = await startLsysBroker(t);
  const { nc, heard } = await listen(t, broker);
  const master = await Master.start(t, vendor, { flags: nats(broker) });
  const slave = await Slave.start(t, vendor, master.url, { times: still, flags: ['--no-enable-push', ...nats(broker)] });
  await slave.untilCurrent((current) => current.sync_status === 'synced');
  await until('the slave to hear hints', async () => (await slave.syncStatus()).nats);
  return { broker, nc, heard, master, slave };
}

describe('the hint', () => {
  test('is published after each change, and leads to a pull at once', async (t) => {
    const { master, slave, heard } = await site(t);
    for (const id of ['one', 'two', 'three']) {
      await master.licenses('add', await issue(id, ['--edition', id]));
      await slave.untilCurrent((current) => current.edition === id);
    }
    const hint = await until('the third hint', () => heard.find(({ sequence }) => sequence === 3));
    assert.equal(hint.v, 1);
    assert.equal(hint.sequence, 3);
    const { headers, json } = await master.ask('/api/licenses');
    assert.equal(hint.stream, json.stream);
    assert.equal(hint.etag, headers.get('etag'));
    assert.ok(!JSON.stringify(heard).includes('eyJ'), 'no token is on the bus');
    await master.licenses('rm', 'three');
    await until('the removal', () => heard.some(({ sequence }) => sequence === 4));
    await until('the slave to hear it, too', async () => await slave.metric('lsys_cache_hints_total') >= 4);
  });

  test('is made up for after a connection was lost', async (t) => {
    const { broker, master, slave } = await site(t);
    await broker.process.stop();
    await master.licenses('add', await issue('meanwhile'));
    await startLsysBroker(t, { port: broker.port });
    await slave.untilCurrent((current) => current.license.id === 'meanwhile');
    assert.deepEqual(await master.stop(), { code: 0, signal: null });
  });

  test('is not needed: without NATS all goes on, and a stop is quick', async (t) => {
    const nowhere = ['--nats', 'nats://127.0.0.1:1'];
    const master = await Master.start(t, vendor, { flags: nowhere });
    await master.licenses('add', await issue('alone'));
    const slave = await Slave.start(t, vendor, master.url, { flags: nowhere });
    await slave.untilCurrent((current) => current.licensed);
    assert.equal((await slave.syncStatus()).nats, false);
    for (const role of [slave, master]) {
      const stopped = performance.now();
      assert.deepEqual(await role.stop(), { code: 0, signal: null });
      assert.ok(performance.now() - stopped < 2000);
    }
  });
});

describe('a rogue publisher', () => {
  test('cannot make a slave storm its master, and changes nothing', async (t) => {
    const { master, slave, nc } = await site(t);
    await master.licenses('add', await issue('real'));
    await slave.untilCurrent((current) => current.licensed);
    const pulls = await master.metric('lsys_cache_pulls_total');
    const began = performance.now();
    let sent = 0;
    while (performance.now() - began < 4000) {
      for (let i = 0; i < 500; i += 1, sent += 1) nc.publish(SUBJECT, JSON.stringify({ v: 1, stream: 'x', sequence: sent, etag: `"forged-${sent}"` }));
      await nc.flush();
    }
    const made = await master.metric('lsys_cache_pulls_total') - pulls;
    assert.ok(sent > 5000);
    assert.ok(made >= 1 && made <= 7, `${made} pulls for ${sent} hints`);
    assert.equal((await slave.current()).license.id, 'real');
  });

  test('saying what is so already causes no pull, nor does nonsense', async (t) => {
    const { master, slave, nc, heard } = await site(t);
    await master.licenses('add', await issue('known', ['--edition', 'known']));
    await slave.untilCurrent((current) => current.edition === 'known');
    const pulls = await master.metric('lsys_cache_pulls_total');
    const before = await slave.metric('lsys_cache_hints_total');
    const nonsense = ['', 'null', '[]', '{}', '{"etag":1}', JSON.stringify({ etag: 'x'.repeat(300) }), 'x'.repeat(5000), '{"etag":"a","etag":"b"}', Buffer.from([0, 255])];
    const truth = JSON.stringify(heard.find(({ sequence }) => sequence === 1));
    for (const message of [...nonsense, truth]) nc.publish(SUBJECT, message);
    await nc.flush();
    await until('all to be heard', async () => await slave.metric('lsys_cache_hints_total') >= before + nonsense.length + 1);
    assert.equal(await master.metric('lsys_cache_pulls_total'), pulls);
  });

  test('cannot break the patience that a master asks for', async (t) => {
    const { master, slave, nc } = await site(t);
    await master.stop();
    assert.equal((await slave.manualSync()).status, 503);
    const tries = async () => await slave.outcome('unreachable');
    await until('the tries to be over', async () => (await slave.syncStatus()).sync === 'idle');
    const before = await tries();
    const began = performance.now();
    for (let i = 0; performance.now() - began < 1500; i += 1) {
      nc.publish(SUBJECT, JSON.stringify({ etag: `"${i}"` }));
      await nc.flush();
    }
    // The slave's own rhythm is a sync of two tries about every 300 ms here; hints add a handful.
    assert.ok(await tries() - before < 25, `${await tries() - before} tries`);
  });
});
