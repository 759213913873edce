// What accounts share: exports and imports made by `lsys nats`, carried out by every server that trusts the operator.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { decode } from 'nats-jwt';
import { Deployment, startTrustingBroker, trustingServers } from './lib/accounts.mjs';
import { until } from './lib/wait.mjs';

/// The accounts SHOP (the exporter) and SITE (the importer), with a user each.
async function begin(t, start, actions) {
  const deployment = await Deployment.create(t, { accounts: ['SHOP', 'SITE'] });
  for (const action of actions) await deployment.run(...action);
  const server = await start(t, deployment);
  const shop = await server.connect(await deployment.addUser('SHOP', 'shop'));
  const site = await server.connect(await deployment.addUser('SITE', 'site'));
  return { deployment, server, shop, site };
}

/// Answers requests with `texts(subject, text)`.
async function serve(connection, subject, texts) {
  connection.nc.subscribe(subject, { callback: (error, message) => {
    for (const text of texts(message.subject, message.string())) message.respond(text);
  } });
  await connection.nc.flush();
}

const nobody = (connection, subject) => assert.rejects(connection.nc.request(subject, '', { timeout: 1000 }),
  ({ code }) => code === '503' || code === 'TIMEOUT');

const exportStream = ['export', 'add', 'SHOP', 'news.>'];
const importStream = ['import', 'add', 'SITE', 'news.>', '--from', 'SHOP'];
const exportService = ['export', 'add', 'SHOP', 'ask', '--service'];
const importService = ['import', 'add', 'SITE', 'ask', '--from', 'SHOP', '--service'];

for (const { name, start } of trustingServers()) {
  describe(name, () => {
    test('a stream is heard by importers, and by nobody else', async (t) => {
      const { deployment, server, shop, site } = await begin(t, start, [exportStream, importStream]);
      await deployment.addAccount('OTHER');
      await server.push();
      const other = await server.connect(await deployment.addUser('OTHER', 'other'));
      const heard = await site.collect('news.>');
      const elsewhere = await other.collect('>');
      const wild = await site.collect('*.eu');
      const secret = await site.collect('secret');
      await shop.say('secret', 'not exported');
      await shop.say('news.eu', '1');
      await site.say('news.eu', 'own');
      await until('both', () => heard.length === 2 && wild.length === 2);
      assert.deepEqual([heard, wild, secret], [['1', 'own'], ['1', 'own'], []]);
      assert.deepEqual(elsewhere, []);
    });

    test('nothing flows back to the exporter', async (t) => {
      const { shop, site } = await begin(t, start, [exportStream, importStream]);
      const back = await shop.collect('>');
      await site.say('news.eu', 'from the importer');
      await shop.say('news.x', 'own');
      await until('its own', () => back.length > 0);
      assert.deepEqual(back, ['own']);
    });

    test('a stream under a subject of the importer\'s own', async (t) => {
      const { shop, site } = await begin(t, start, [
        ['export', 'add', 'SHOP', 'orders.*.*'], ['export', 'add', 'SHOP', 'log.>'],
        ['import', 'add', 'SITE', 'orders.*.*', '--from', 'SHOP', '--local', 'shop.$2.$1'],
        ['import', 'add', 'SITE', 'log.>', '--from', 'SHOP', '--local', 'logs.of.shop.>'],
      ]);
      const seen = [];
      site.nc.subscribe('>', { callback: (error, { subject }) => seen.push(subject) });
      await site.nc.flush();
      await shop.say('orders.eu.new', '');
      await shop.say('log.a.b', '');
      await until('both', () => seen.length === 2);
      assert.deepEqual(seen.sort(), ['logs.of.shop.a.b', 'shop.new.eu']);
    });

    test('one member of a queue group of the importer gets a message', async (t) => {
      const { shop, site } = await begin(t, start, [exportStream, importStream]);
      const [first, second] = [await site.collect('news.>', { queue: 'q' }), await site.collect('news.>', { queue: 'q' })];
      for (let i = 0; i < 20; i++) shop.nc.publish('news.x', `${i}`);
      await shop.nc.flush();
      await until('all', () => first.length + second.length === 20);
      await site.nc.flush();
      assert.equal(first.length + second.length, 20);
    });

    test('the permissions of the importer\'s users hold for what is imported', async (t) => {
      const { deployment, server, shop } = await begin(t, start, [exportStream, importStream, exportService, importService]);
      const user = await server.connect(await deployment.addUser('SITE', 'small', '--deny-sub', 'news.secret', '--deny-pub', 'ask'));
      const heard = await user.collect('news.>');
      await shop.say('news.secret', 'x');
      await shop.say('news.open', 'y');
      await until('what is allowed', () => heard.length > 0);
      assert.deepEqual(heard, ['y']);
      await user.say('ask', '');
      await user.untilDenied('publish', 'ask');
    });

    test('a service is asked and answers, under the importer\'s subject as well', async (t) => {
      const { shop, site } = await begin(t, start, [exportService, importService,
        ['export', 'add', 'SHOP', 'price.*.*', '--service'],
        ['import', 'add', 'SITE', 'price.*.*', '--from', 'SHOP', '--service', '--local', 'shop.$2.price.$1']]);
      await nobody(site, 'ask');
      await serve(shop, 'ask', (_, text) => [`you said ${text}`]);
      await serve(shop, 'price.>', (subject) => [subject]);
      assert.equal((await site.nc.request('ask', 'hello')).string(), 'you said hello');
      assert.equal((await site.nc.request('shop.eu.price.7')).string(), 'price.7.eu');
      await nobody(site, 'price.7.eu');
    });

    test('a service answers once, or as often as it is said', async (t) => {
      const { shop, site } = await begin(t, start, [exportService, importService,
        ['export', 'add', 'SHOP', 'all', '--service', '--responses', 'stream'],
        ['import', 'add', 'SITE', 'all', '--from', 'SHOP', '--service']]);
      await serve(shop, 'ask', () => ['1', '2']);
      await serve(shop, 'all', () => ['1', '2', '3']);
      const answers = await site.collect('box.*');
      site.nc.publish('ask', '', { reply: 'box.1' });
      site.nc.publish('all', '', { reply: 'box.2' });
      await until('the answers', () => answers.length >= 4);
      await shop.nc.flush();
      await site.nc.flush();
      assert.deepEqual(answers.sort(), ['1', '1', '2', '3']);
    });

    test('who may only answer what it is asked does so across accounts', async (t) => {
      const { deployment, server, site } = await begin(t, start, [exportService, importService]);
      const service = await server.connect(await deployment.addUser('SHOP', 'service', '--allow-sub', 'ask', '--allow-responses', '1'));
      await serve(service, 'ask', () => ['answer']);
      assert.equal((await site.nc.request('ask')).string(), 'answer');
    });

    test('what is exported privately needs an activation, until it is revoked', async (t) => {
      const { deployment, server, shop, site } = await begin(t, start, [
        [...exportStream, '--private'], [...exportService, '--private'], importStream, importService]);
      await serve(shop, 'ask', () => ['answer']);
      const heard = await site.collect('news.>');
      await shop.say('news.x', '1');
      await until('the message', () => heard.length === 1);
      assert.equal((await site.nc.request('ask')).string(), 'answer');
      await deployment.run('export', 'revoke', 'SHOP', 'ask', '--for', 'SITE');
      await server.push();
      await nobody(site, 'ask');
    });

    test('an export that is taken back ends the import', async (t) => {
      const { deployment, server, shop, site } = await begin(t, start, [exportService, importService]);
      await serve(shop, 'ask', () => ['answer']);
      assert.equal((await site.nc.request('ask')).string(), 'answer');
      await deployment.run('export', 'remove', 'SHOP', 'ask');
      await server.push();
      await nobody(site, 'ask');
    });
  });
}

const brokers = { name: 'lsys broker', start: (t, deployment) => startTrustingBroker(t, deployment) };

describe('the embedded broker', () => {
  test('passes requests on through several accounts, and an answer that asks back', async (t) => {
    const deployment = await Deployment.create(t, { accounts: ['A', 'B', 'C'] });
    await deployment.run('export', 'add', 'C', 'deep', '--service');
    await deployment.run('import', 'add', 'B', 'deep', '--from', 'C', '--service', '--local', 'middle');
    await deployment.run('export', 'add', 'B', 'middle', '--service');
    await deployment.run('import', 'add', 'A', 'middle', '--from', 'B', '--service');
    const server = await brokers.start(t, deployment);
    const [a, c] = [await server.connect(await deployment.addUser('A', 'a')), await server.connect(await deployment.addUser('C', 'c'))];
    const thanks = await c.collect('thanks');
    c.nc.subscribe('deep', { callback: (error, message) => message.respond('from C', { reply: 'thanks' }) });
    await c.nc.flush();
    const answer = await a.nc.request('middle', '', { timeout: 3000 });
    assert.equal(answer.string(), 'from C');
    answer.respond('received');
    await until('the thanks', () => thanks.length === 1);
    assert.deepEqual(thanks, ['received']);
  });

  test('ends a circle of imports', async (t) => {
    const deployment = await Deployment.create(t, { accounts: ['A', 'B'] });
    for (const name of ['A', 'B']) await deployment.run('export', 'add', name, 'round', '--service');
    await deployment.run('import', 'add', 'A', 'round', '--from', 'B', '--service');
    await deployment.run('import', 'add', 'B', 'round', '--from', 'A', '--service');
    const server = await brokers.start(t, deployment);
    const a = await server.connect(await deployment.addUser('A', 'a'));
    const b = await server.connect(await deployment.addUser('B', 'b'));
    await nobody(a, 'round');
    const [atA, atB] = [await a.collect('round'), await b.collect('round')];
    await a.say('round', 'x');
    await until('it to have gone round once', () => atA.length === 1 && atB.length === 1);
    await a.say('round', 'y');
    await until('the next', () => atA.length === 2 && atB.length === 2);
    assert.deepEqual([atA, atB], [['x', 'y'], ['x', 'y']]);
  });

  test('does not have a service publish what the requester may not', async (t) => {
    const { deployment, server, shop, site } = await begin(t, brokers.start, [exportService, importService]);
    await serve(shop, 'ask', (_, text) => [text]);
    const heard = await site.collect('license.status');
    const user = await server.connect(await deployment.addUser('SITE', 'client', '--allow-pub', 'ask'));
    const own = await user.collect('license.status');
    user.nc.publish('ask', 'forged', { reply: 'license.status' });
    await until('the answer, for the requester alone', () => own.length === 1);
    await site.nc.flush();
    assert.deepEqual(heard, []);
    const free = await server.connect(await deployment.addUser('SITE', 'free'));
    free.nc.publish('ask', 'allowed', { reply: 'license.status' });
    await until('what is allowed', () => heard.length === 1);
  });

  test('does not have a service ask another what the requester may not', async (t) => {
    const { deployment, server, shop, site } = await begin(t, brokers.start, [exportService, importService]);
    await deployment.addAccount('VAULT');
    await deployment.run('export', 'add', 'VAULT', 'open', '--service');
    await deployment.run('import', 'add', 'SITE', 'open', '--from', 'VAULT', '--service');
    await server.push();
    const vault = await server.connect(await deployment.addUser('VAULT', 'vault'));
    await serve(shop, 'ask', (_, text) => [text]);
    const heard = await vault.collect('open');
    const user = await server.connect(await deployment.addUser('SITE', 'client', '--allow-pub', 'ask'));
    const own = await user.collect('open');
    user.nc.publish('ask', 'forged', { reply: 'open' });
    await until('the answer, for the requester alone', () => own.length === 1);
    await site.say('open', 'allowed');
    await until('what is allowed', () => heard.includes('allowed'));
    assert.deepEqual(heard, ['allowed']);
  });

  test('nobody in the exporter\'s account overhears or makes up answers', async (t) => {
    const { deployment, server, shop, site } = await begin(t, brokers.start, [exportService, importService]);
    const spy = await server.connect(await deployment.addUser('SHOP', 'spy'));
    const overheard = await spy.collect('_R_.>');
    await serve(shop, 'ask', () => ['answer']);
    assert.equal((await site.nc.request('ask')).string(), 'answer');
    await spy.say('_R_.AAAAAAAAAAAAAAAAAAAAAA', 'made up');
    await until('its own message', () => overheard.length === 1);
    assert.deepEqual(overheard, ['made up']);
  });

  test('has an answer ask back and forth for some accounts, and lives through a thousand', async (t) => {
    const { shop, site } = await begin(t, brokers.start, [exportService, importService]);
    const next = (connection, subject) => new Promise((resolve) => {
      connection.nc.subscribe(subject, { max: 1, callback: (error, message) => resolve(message) });
    });
    /// Asks with `reply` in SITE; gives the subject of the answer in SHOP.
    const ask = async (reply) => {
      const asked = next(shop, 'ask');
      await shop.nc.flush();
      site.nc.publish('ask', '', { reply });
      return (await asked).reply;
    };
    const ends = await shop.collect('end');
    let there = 'end';
    for (let round = 1; round <= 1000; round += 1) {console.error('round', round);
      const box = next(site, 'box');
      shop.nc.publish(await ask('box'), '', { reply: there });
      there = await ask((await box).reply);
      if (round === 2) {
        await shop.say(there, 'through four');
        await until('it to arrive', () => ends.length === 1);
        there = 'end';
      }
    }
    await shop.say(there, 'through two thousand');
    await shop.say('end', 'last');
    await until('the last', () => ends.includes('last'));
    assert.deepEqual(ends, ['through four', 'last']);
  });

  test('passes a message to each account of a mesh once', async (t) => {
    const names = Array.from({ length: 12 }, (_, i) => `N${i}`);
    const deployment = await Deployment.create(t, { accounts: names });
    for (const name of names) await deployment.run('export', 'add', name, 'ask', '--service');
    for (const name of names)
      for (const other of names.filter((one) => one !== name))
        await deployment.run('import', 'add', name, 'ask', '--from', other, '--service', '--local', 'ask');
    const server = await brokers.start(t, deployment);
    const first = await server.connect(await deployment.addUser('N0', 'first'));
    const last = await server.connect(await deployment.addUser('N11', 'last'));
    const heard = await last.collect('ask');
    await first.say('ask', 'x');
    await first.say('ask', 'y');
    await until('both', () => heard.length >= 2);
    await last.nc.flush();
    assert.deepEqual(heard, ['x', 'y']);
  });

  test('says why it does not carry out an import, and does so as soon as it may', async (t) => {
    const deployment = await Deployment.create(t, { accounts: ['SHOP', 'SITE'] });
    const { sub } = decode(deployment.token('accounts/SHOP'));
    await deployment.run('export', 'add', 'SHOP', 'ask', '--service', '--private');
    const activation = path.join(deployment.folder, 'activation.jwt');
    await deployment.run('export', 'activate', 'SHOP', 'ask', '--for', 'SITE', '--out', activation, '--valid-for', '3s');
    await deployment.run(...importService, '--activation', activation);
    await deployment.run('import', 'add', 'SITE', 'more', '--from', (await stranger(t)).sub);
    const server = await brokers.start(t, deployment);
    const [shop, site] = [await server.connect(await deployment.addUser('SHOP', 'shop')), await server.connect(await deployment.addUser('SITE', 'site'))];
    await serve(shop, 'ask', () => ['answer']);
    await server.process.untilOutput(/import not carried out.*account=SITE subject=more.*exporter is not known here/);
    assert.equal((await site.nc.request('ask')).string(), 'answer');
    await server.process.untilOutput(new RegExp(`import not carried out.*subject=ask from=${sub}.*activation.*has expired`));
    await nobody(site, 'ask');
    await deployment.run(...importService);
    await until('the new activation', () => site.nc.request('ask', '', { timeout: 500 }).then(() => true, () => false));
    await deployment.run('export', 'remove', 'SHOP', 'ask');
    await server.process.untilOutput(/subject=ask.*does not export this service/);
  });
});

/// The claims of an account of another operator.
async function stranger(t) {
  const deployment = await Deployment.create(t, { accounts: ['X'] });
  return decode(deployment.token('accounts/X'));
}

describe('the tool', () => {
  test('writes what npm nats-jwt reads', async (t) => {
    const deployment = await Deployment.create(t, { accounts: ['SHOP', 'SITE'] });
    await deployment.run('export', 'add', 'SHOP', 'ask.*', '--service', '--private', '--responses', 'chunked', '--response-ttl', '5s');
    await deployment.run('import', 'add', 'SITE', 'ask.*', '--from', 'SHOP', '--service', '--local', 'shop.$1');
    const shop = decode(deployment.token('accounts/SHOP'));
    const site = decode(deployment.token('accounts/SITE'));
    assert.deepEqual(shop.nats.exports, [{ subject: 'ask.*', type: 'service', token_req: true, response_type: 'Chunked',
      response_threshold: 5_000_000_000 }]);
    const [{ token, ...rest }] = site.nats.imports;
    assert.deepEqual(rest, { subject: 'ask.*', account: shop.sub, local_subject: 'shop.$1', type: 'service' });
    const activation = decode(token);
    assert.deepEqual([activation.sub, activation.iss, activation.nats], [site.sub, shop.nats.signing_keys[0],
      { type: 'activation', version: 2, subject: 'ask.*', kind: 'service', issuer_account: shop.sub }]);
    assert.deepEqual((await deployment.account('SHOP')).exports, [{ subject: 'ask.*', type: 'service', private: true }]);
    assert.deepEqual((await deployment.account('SITE')).imports,
      [{ subject: 'ask.*', type: 'service', from: shop.sub, local_subject: 'shop.$1' }]);
    assert.match(await deployment.run('ls'), /\(imports\) +service +ask\.\* +from A\w+ +as shop\.\$1/);
    await deployment.run('import', 'remove', 'SITE', 'ask.*', '--from', shop.sub);
    assert.equal(decode(deployment.token('accounts/SITE')).nats.imports, undefined);
  });

  for (const [what, args, text] of [
    ['what is not exported', ['import', 'add', 'SITE', 'x', '--from', 'SHOP'], /"SHOP" does not export this stream/],
    ['a wider subject than is exported', ['import', 'add', 'SITE', '>', '--from', 'SHOP'], /does not export this stream/],
    ['a service as a stream', ['import', 'add', 'SITE', 'ask', '--from', 'SHOP'], /does not export this stream/],
    ['a local subject that loses a token', ['import', 'add', 'SITE', 'news.*', '--from', 'SHOP', '--local', 'n'], /"n" cannot stand for "news\.\*"/],
    ['a local subject that uses a token twice', ['import', 'add', 'SITE', 'news.*', '--from', 'SHOP', '--local', 'n.$1.$1'], /cannot stand for/],
    ['another account\'s activation', ['import', 'add', 'SITE', 'secret', '--from', 'SHOP', '--activation', 'ACTIVATION'], /activation is for another account/],
    ['a subject that is none', ['export', 'add', 'SHOP', 'a..b'], /"a\.\.b" is not a subject/],
    ['nobody to import from', ['import', 'add', 'SITE', 'x'], /--from is missing/],
    ['removing what is not exported', ['export', 'remove', 'SHOP', 'x'], /does not export "x"/],
    ['removing what is not imported', ['import', 'remove', 'SITE', 'x', '--from', 'SHOP'], /does not import "x"/],
    ['activating what is not exported', ['export', 'activate', 'SHOP', 'x', '--for', 'SITE', '--out', '-'], /does not export "x"/],
  ]) {
    test(`refuses ${what}`, async (t) => {
      const deployment = await Deployment.create(t, { accounts: ['SHOP', 'SITE', 'OTHER'] });
      await deployment.run(...exportStream);
      await deployment.run(...exportService);
      await deployment.run('export', 'add', 'SHOP', 'secret', '--private');
      const file = path.join(deployment.folder, 'activation.jwt');
      await deployment.run('export', 'activate', 'SHOP', 'secret', '--for', 'OTHER', '--out', file);
      const before = readFileSync(path.join(deployment.dir, 'accounts', 'SITE.jwt'));
      const result = await deployment.try(...args.map((arg) => (arg === 'ACTIVATION' ? file : arg)));
      assert.notEqual(result.code, 0);
      assert.match(result.stderr, text);
      assert.deepEqual(readFileSync(path.join(deployment.dir, 'accounts', 'SITE.jwt')), before);
    });
  }
});
