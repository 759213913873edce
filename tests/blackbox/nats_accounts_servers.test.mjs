// Operator mode: the same deployments, made by `lsys nats`, against every server that can trust them.
import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, test } from 'node:test';
import { decode } from 'nats-jwt';
import { Deployment, memoryServers, TrustingServer, trustingServers } from './lib/accounts.mjs';
import { lsysOk, start } from './lib/lsys.mjs';
import { natsServers } from './lib/peers.mjs';
import { freePort } from './lib/ports.mjs';
import { RawNats } from './lib/raw_nats.mjs';
import { until } from './lib/wait.mjs';

/// Connects with a token and no signature; gives the connection and what the server said first.
async function enter(t, server, jwt) {
  const raw = await RawNats.connect(t, server.port);
  raw.send(`CONNECT {"verbose":false,"protocol":1,"jwt":"${jwt}"}\r\nPING\r\n`);
  const [answer] = await raw.untilText(/PONG|-ERR '[^']*'/);
  return { raw, answer };
}

for (const { name, start } of trustingServers()) {
  describe(name, () => {
    test('users of one account hear each other, and nobody else does', async (t) => {
      const deployment = await Deployment.create(t, { accounts: ['A', 'B'] });
      const server = await start(t, deployment);
      const first = await server.connect(await deployment.addUser('A', 'first'));
      const second = await server.connect(await deployment.addUser('A', 'second'));
      const other = await server.connect(await deployment.addUser('B', 'other'));
      const heard = await second.collect('>');
      const elsewhere = await other.collect('>');
      await first.say('news', 'for A');
      await other.say('news', 'for B');
      await until('the message', () => heard.length === 1);
      await until('the message', () => elsewhere.length === 1);
      await first.nc.flush();
      assert.deepEqual(heard, ['for A']);
      assert.deepEqual(elsewhere, ['for B']);
    });

    test('queue groups and requests stay in their account', async (t) => {
      const deployment = await Deployment.create(t, { accounts: ['A', 'B'] });
      const server = await start(t, deployment);
      const a = await server.connect(await deployment.addUser('A', 'a'));
      const b = await server.connect(await deployment.addUser('B', 'b'));
      b.nc.subscribe('ask', { queue: 'q', callback: (error, message) => message.respond('from B') });
      await b.nc.flush();
      await assert.rejects(a.nc.request('ask', '', { timeout: 2000 }), { code: '503' });
      a.nc.subscribe('ask', { queue: 'q', callback: (error, message) => message.respond('from A') });
      for (let i = 0; i < 10; i++) assert.equal((await a.nc.request('ask')).string(), 'from A');
    });

    test('permissions are kept', async (t) => {
      const deployment = await Deployment.create(t);
      const server = await start(t, deployment);
      const user = await server.connect(await deployment.addUser('SITE', 'app', '--allow-pub', 'a.>', '--deny-pub',
        'a.secret', '--allow-sub', 'b.*', '--deny-sub', 'b.secret'));
      const all = await server.connect(await deployment.addUser('SITE', 'all'));
      const heard = await all.collect('>');
      await user.say('a.good', '1');
      await user.say('a.secret', '2');
      await user.untilDenied('publish', 'a.secret');
      await user.say('c', '3');
      await user.untilDenied('publish', 'c');
      const own = await user.collect('b.*');
      await user.collect('a.good');
      await user.untilDenied('subscription', 'a.good');
      await user.collect('b.secret');
      await user.untilDenied('subscription', 'b.secret');
      await all.say('b.secret', 'x');
      await all.say('b.open', 'y');
      await until('the message', () => own.length > 0);
      assert.deepEqual(own, ['y']);
      assert.deepEqual(heard, ['1', 'x', 'y']);
    });

    test('only a license server may say what the status is', async (t) => {
      const deployment = await Deployment.create(t);
      const server = await start(t, deployment);
      const licenses = await server.connect(await deployment.addUser('SITE', 's', '--template', 'license-server'));
      const client = await server.connect(await deployment.addUser('SITE', 'c', '--template', 'license-client'));
      const observer = await server.connect(await deployment.addUser('SITE', 'o', '--template', 'observer'));
      const seen = await observer.collect('license.status');
      const heard = await client.collect('license.status');
      await client.say('license.status', 'forged');
      await client.untilDenied('publish', 'license.status');
      await observer.say('anything', 'forged');
      await observer.untilDenied('publish', 'anything');
      await licenses.say('license.status', 'valid');
      await until('the status', () => heard.length > 0 && seen.length > 0);
      assert.deepEqual([heard, seen], [['valid'], ['valid']]);

      licenses.nc.subscribe('license.status.get', { callback: (error, message) => {
        message.respond('first');
        message.respond('second');
      } });
      await licenses.nc.flush();
      assert.equal((await client.nc.request('license.status.get')).string(), 'first');
      await until('the second answer to be refused', () => licenses.errors.length > 0);
    });

    test('responses are allowed as often as said', async (t) => {
      const deployment = await Deployment.create(t);
      const server = await start(t, deployment);
      const service = await server.connect(await deployment.addUser('SITE', 'service', '--allow-sub', 'ask',
        '--allow-responses', '2'));
      const client = await server.connect(await deployment.addUser('SITE', 'client'));
      const answers = await client.collect('box.1');
      service.nc.subscribe('ask', { callback: (error, message) => {
        for (const text of ['1', '2', '3']) message.respond(text);
      } });
      await service.nc.flush();
      client.nc.publish('ask', '', { reply: 'box.1' });
      await service.untilDenied('publish', 'box.1');
      await until('two answers', () => answers.length === 2);
      await client.nc.flush();
      assert.deepEqual(answers, ['1', '2']);
      await service.say('elsewhere', 'x');
      await service.untilDenied('publish', 'elsewhere');
    });

    test('another operator\'s user is refused', async (t) => {
      const deployment = await Deployment.create(t);
      const stranger = await Deployment.create(t);
      const server = await start(t, deployment);
      await server.refuses(await stranger.addUser('SITE', 'app'));
    });

    test('without credentials nobody gets in', async (t) => {
      const server = await start(t, await Deployment.create(t));
      await server.refuses(undefined);
      await server.refuses(undefined, { user: 'a', pass: 'b' });
      await server.refuses(undefined, { token: 'a' });
      const raw = await RawNats.connect(t, server.port);
      raw.send('PUB a 0\r\n\r\n');
      await raw.untilText(/-ERR 'Authorization Violation'/);
      await raw.untilClosed();
    });

    test('a user whose time is over is refused', async (t) => {
      const deployment = await Deployment.create(t);
      const server = await start(t, deployment);
      const creds = await deployment.addUser('SITE', 'short', '--valid-for', '1s');
      const list = await deployment.list();
      const [{ expires_at }] = list.accounts.find((account) => account.name === 'SITE').users;
      await until('the second after its last one to be over', () => Date.now() > Date.parse(expires_at) + 2000);
      await server.refuses(creds);
    });

    test('a user whose time runs out while connected is dropped', async (t) => {
      const deployment = await Deployment.create(t);
      const server = await start(t, deployment);
      const user = await server.connect(await deployment.addUser('SITE', 'short', '--valid-for', '3s'));
      const ended = await user.untilEnded();
      assert.match(ended.message, /user authentication expired/i);
    });

    test('a user who is revoked while connected is dropped, and the others are not', async (t) => {
      const deployment = await Deployment.create(t);
      const server = await start(t, deployment);
      const creds = await deployment.addUser('SITE', 'lost');
      const lost = await server.connect(creds);
      const kept = await server.connect(await deployment.addUser('SITE', 'kept'));
      await deployment.run('user', 'revoke', 'SITE', 'lost');
      await server.push();
      assert.match((await lost.untilEnded()).message, /user authentication revoked|authorization violation/i);
      await server.refuses(creds);
      await kept.nc.flush();
    });

    test('all users of an account are revoked at once, and a new one gets in', async (t) => {
      const deployment = await Deployment.create(t);
      const server = await start(t, deployment);
      const creds = await deployment.addUser('SITE', 'old');
      const old = await server.connect(creds);
      await deployment.run('revoke', 'SITE', '*');
      await server.push();
      await old.untilEnded();
      await server.refuses(creds);
      await server.connect(await deployment.addUser('SITE', 'new'));
    });

    test('an account is known as soon as it is pushed', async (t) => {
      const deployment = await Deployment.create(t);
      const server = await start(t, deployment);
      await deployment.addAccount('LATE');
      const creds = await deployment.addUser('LATE', 'app');
      await server.refuses(creds);
      await server.push();
      await (await server.connect(creds)).nc.flush();
    });

    test('limits of accounts and users are kept', async (t) => {
      const deployment = await Deployment.create(t);
      await deployment.addAccount('SMALL', '--max-connections', '1');
      const server = await start(t, deployment);
      await deployment.addUser('SMALL', 'app', '--bearer');
      const first = await enter(t, server, deployment.token('users/SMALL/app'));
      assert.equal(first.answer, 'PONG');
      const second = await enter(t, server, deployment.token('users/SMALL/app'));
      assert.equal(second.answer, "-ERR 'maximum account active connections exceeded'");
      await second.raw.untilClosed();
      first.raw.close();
      await until('a place to be free', async () =>
        (await enter(t, server, deployment.token('users/SMALL/app'))).answer === 'PONG');

      await deployment.addUser('SITE', 'limited', '--max-payload', '100', '--max-subscriptions', '2', '--bearer');
      const { raw } = await enter(t, server, deployment.token('users/SITE/limited'));
      await raw.untilText(/INFO [^\r]*"max_payload":100,/);
      raw.send('SUB a 1\r\nSUB b 2\r\nSUB c 3\r\n');
      await raw.untilText(/-ERR 'maximum subscriptions exceeded'/);
      raw.send(`PUB a 101\r\n${'x'.repeat(101)}\r\n`);
      await raw.untilText(/-ERR 'Maximum Payload Violation'/);
      await raw.untilClosed();
    });

    test('a removed signing key takes its users along, and those of the newer key stay', async (t) => {
      const deployment = await Deployment.create(t);
      const server = await start(t, deployment);
      const before = await server.connect(await deployment.addUser('SITE', 'before'));
      const [{ key }] = (await deployment.account('SITE')).signing_keys;
      await deployment.run('account', 'set', 'SITE', '--add-signing-key');
      await server.push();
      const after = await server.connect(await deployment.addUser('SITE', 'after'));
      await before.nc.flush();
      const printed = await deployment.run('account', 'set', 'SITE', '--remove-signing-key', key);
      assert.match(printed, /^user before .*make it again/m);
      await server.push();
      await server.refuses(path.join(deployment.folder, 'SITE-before.creds'));
      await after.nc.flush();
      const again = path.join(deployment.folder, 'again.creds');
      await deployment.run('user', 'add', 'SITE', 'before', '--creds', again);
      await server.connect(again);
    });

    test('a user with a role has the rights of the role, its own name in them', async (t) => {
      const deployment = await Deployment.create(t);
      await deployment.run('account', 'set', 'SITE', '--add-signing-key', '--role', 'device', '--allow-pub', 'own.{{name()}}.>');
      const server = await start(t, deployment);
      const user = await server.connect(await deployment.addUser('SITE', 'ann', '--role', 'device'));
      const all = await server.connect(await deployment.addUser('SITE', 'all'));
      const heard = await all.collect('own.>');
      await user.say('own.ann.x', '1');
      await user.say('own.bob.x', '2');
      await user.untilDenied('publish', 'own.bob.x');
      await until('the message', () => heard.length > 0);
      assert.deepEqual(heard, ['1']);
    });

    test('an account that was removed is gone after a push with --prune, and no other', async (t) => {
      const deployment = await Deployment.create(t, { accounts: ['SITE', 'OLD'] });
      const server = await start(t, deployment);
      const creds = await deployment.addUser('OLD', 'app');
      const old = await server.connect(creds);
      const kept = await server.connect(await deployment.addUser('SITE', 'app'));
      const spy = await server.connect(await deployment.addUser('SYS', 'spy'));
      const tokens = await spy.collect('$SYS.REQ.CLAIMS.DELETE'); // lsys broker passes it on to nobody
      assert.match(await server.push('--prune'), /nothing to prune/);
      await deployment.run('account', 'remove', 'OLD');
      await server.push();
      await old.nc.flush(); // without --prune nothing is taken away
      assert.match(await server.push('--prune'), /: 200 deleted 1 accounts/);
      await old.untilEnded();
      await server.refuses(creds);
      await kept.nc.flush();
      assert.match(await server.push('--prune'), /nothing to prune/);
      await spy.nc.flush();
      assert.equal(tokens.length, name === 'lsys broker' ? 0 : 1);
      for (const { exp, iat } of tokens.map((token) => decode(token))) assert.ok(exp > iat && exp <= iat + 600);
    });

    test('a user for leafnodes only is no client', async (t) => {
      const deployment = await Deployment.create(t);
      const server = await start(t, deployment);
      await server.refuses(await deployment.addUser('SITE', 'leaf', '--connection', 'leafnode'));
      await server.connect(await deployment.addUser('SITE', 'client', '--connection', 'standard'));
    });

    test('a bearer token lets in without the key, another token does not', async (t) => {
      const deployment = await Deployment.create(t);
      const server = await start(t, deployment);
      await deployment.addUser('SITE', 'bearer', '--bearer');
      await deployment.addUser('SITE', 'other');
      const answer = async (user) => (await enter(t, server, deployment.token(`users/SITE/${user}`))).answer;
      assert.equal(await answer('bearer'), 'PONG');
      assert.equal(await answer('other'), "-ERR 'Authorization Violation'");
    });
  });
}

for (const { name, start } of memoryServers()) {
  test(`${name} with a memory resolver: a new configuration revokes`, async (t) => {
    const deployment = await Deployment.create(t);
    const creds = await deployment.addUser('SITE', 'app');
    const server = await start(t, deployment);
    const user = await server.connect(creds);
    const pushed = await deployment.try('push', '--nats', server.url);
    assert.notEqual(pushed.code, 0);
    assert.match(pushed.stderr, /no server takes accounts.*resolver/);
    await deployment.run('user', 'revoke', 'SITE', 'app');
    await deployment.config();
    server.process.signal('SIGHUP');
    await user.untilEnded();
    await server.refuses(creds);
  });
}

for (const { name, program } of natsServers()) {
  test(`${name} with the configuration as it comes: push, SIGHUP, and no step back at a restart`, async (t) => {
    const deployment = await Deployment.create(t);
    const port = await freePort();
    const config = () => lsysOk(['nats', 'config', '--out', 'nats.conf', '--listen', `127.0.0.1:${port}`], { cwd: deployment.dir });
    const begin = async () => {
      const process = start(t, program, ['-c', path.join(deployment.dir, 'nats.conf')], { cwd: '/' });
      await process.untilOutput(/Server is ready/);
      return new TrustingServer(t, deployment, port, process);
    };
    const creds = {};
    for (const user of ['pushed', 'reloaded', 'kept']) creds[user] = await deployment.addUser('SITE', user);
    await config();
    const server = await begin();
    const [pushed, reloaded] = [await server.connect(creds.pushed), await server.connect(creds.reloaded)];
    await deployment.run('revoke', 'SITE', 'pushed');
    await server.push();
    const changed = Date.now();
    await pushed.untilEnded();
    await reloaded.nc.flush();
    await deployment.run('revoke', 'SITE', 'reloaded');
    await config();
    await until('nats-server to take another change, a second after the last one', () => Date.now() > changed + 1200);
    server.process.signal('SIGHUP');
    await until('the revoked user to be shown out', () => reloaded.nc.isClosed());
    await deployment.run('revoke', 'SITE', 'kept');
    await server.push();
    await server.process.stop(); // its file is older than what was pushed
    const again = await begin();
    for (const user of ['pushed', 'reloaded', 'kept']) await again.refuses(creds[user]);
    await again.connect(await deployment.addUser('SITE', 'new'));
  });
}

for (const { name, program } of natsServers()) {
  test(`push tells every server of a cluster of ${name}`, async (t) => {
    const deployment = await Deployment.create(t);
    const ports = [await freePort(), await freePort()];
    const routes = [await freePort(), await freePort()];
    const servers = [];
    for (const i of [0, 1]) {
      const file = path.join(deployment.folder, `server-${i}.conf`);
      await deployment.run('config', '--out', file, '--resolver', 'full', '--resolver-dir', `jwt-${i}`);
      servers.push(start(t, program, ['-c', file, '-p', `${ports[i]}`, '-n', `server-${i}`, '--cluster_name', 'c',
        '--cluster', `nats://127.0.0.1:${routes[i]}`, '--routes', `nats://127.0.0.1:${routes[1 - i]}`]));
      await servers[i].untilOutput(/Server is ready/);
    }
    const push = () => deployment.run('push', '--nats', `nats://127.0.0.1:${ports[0]}`, '--timeout', '700ms');
    const printed = await until('both servers to answer', async () => {
      const text = await push();
      return text.match(/: 200 /g)?.length === 4 && text;
    });
    for (const account of ['SYS', 'SITE'])
      for (const server of ['server-0', 'server-1'])
        assert.match(printed, new RegExp(`^${account} +${server}: 200 `, 'm'));
  });
}

for (const { name, program } of natsServers()) {
  test(`push over TLS to ${name}`, async (t) => {
    const deployment = await Deployment.create(t);
    const pki = path.join(deployment.folder, 'pki');
    const prefix = path.join(deployment.folder, 'server');
    await lsysOk(['ca', 'init', '--out', pki]);
    await lsysOk(['ca', 'issue', '--ca', pki, '--name', 'localhost', '--out', prefix]);
    const port = await freePort();
    const server = start(t, program, ['-c', await deployment.config('full'), '-p', `${port}`, '--tls',
      '--tlscert', `${prefix}.pem`, '--tlskey', `${prefix}.key.pem`]);
    await server.untilOutput(/Server is ready/);
    const url = `tls://localhost:${port}`;
    const printed = await deployment.run('push', '--nats', url, '--nats-ca', path.join(pki, 'ca.pem'), '--timeout', '1s');
    assert.match(printed, /^SITE .*: 200 /m);
    const stranger = await deployment.try('push', '--nats', url, '--timeout', '1s');
    assert.equal(stranger.code, 76);
    assert.match(stranger.stderr, /unknown issuer/);
  });
}
