// What `lsys nats` writes, read by npm nats-jwt and nkeys.js; and what it refuses.
import assert from 'node:assert/strict';
import { chmodSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import nkeys from 'nkeys.js';
import { Deployment } from './lib/accounts.mjs';
import { temporaryFolder } from './lib/folders.mjs';
import { lsys, lsysOk } from './lib/lsys.mjs';
import { createAccount, createOperator, decode, encodeAccount, parseCreds } from './lib/nats_jwt.mjs';

/// The claims, once the signature of their issuer is verified by nkeys.js.
function verified(token) {
  const claims = decode(token);
  const [header, body, signature] = token.split('.');
  const good = nkeys.fromPublic(claims.iss)
    .verify(Buffer.from(`${header}.${body}`), Buffer.from(signature, 'base64url'));
  assert.ok(good, `the signature of ${claims.name}`);
  assert.deepEqual(JSON.parse(Buffer.from(header, 'base64url')), { typ: 'JWT', alg: 'ed25519-nkey' });
  return claims;
}

describe('what others read', () => {
  test('the operator', async (t) => {
    const deployment = await Deployment.create(t);
    const claims = verified(deployment.token('operator'));
    assert.equal(claims.nats.type, 'operator');
    assert.equal(claims.iss, claims.sub);
    assert.equal(claims.nats.system_account, verified(deployment.token('accounts/SYS')).sub);
    assert.equal(claims.nats.signing_keys.length, 1);
    assert.ok(Math.abs(claims.iat - Date.now() / 1000) < 60);
  });

  test('an account, signed by the operator\'s signing key', async (t) => {
    const deployment = await Deployment.create(t, { accounts: [] });
    await deployment.addAccount('SITE', '--max-connections', '7', '--max-payload', '2048', '--jetstream');
    const operator = verified(deployment.token('operator'));
    const claims = verified(deployment.token('accounts/SITE'));
    assert.equal(claims.iss, operator.nats.signing_keys[0]);
    assert.equal(claims.name, 'SITE');
    assert.equal(claims.nats.limits.conn, 7);
    assert.equal(claims.nats.limits.payload, 2048);
    assert.equal(claims.nats.limits.subs, -1);
    assert.equal(claims.nats.limits.disk_storage, -1);
  });

  test('a user and its credentials', async (t) => {
    const deployment = await Deployment.create(t);
    const account = verified(deployment.token('accounts/SITE'));
    const creds = await deployment.addUser('SITE', 'app', '--allow-pub', 'a.>', '--deny-pub', 'a.b', '--allow-sub',
      'wq.> grp', '--deny-sub', 'c', '--allow-responses', '3', '--response-ttl', '2s', '--connection', 'standard',
      '--connection', 'websocket', '--valid-for', '1d', '--max-payload', '100');
    assert.equal(statSync(creds).mode & 0o777, 0o600);
    const { key, jwt, uc, aid } = await parseCreds(readFileSync(creds));
    assert.equal(nkeys.fromSeed(Buffer.from(key)).getPublicKey(), uc.sub);
    assert.equal(aid, account.sub);
    const claims = verified(jwt);
    assert.equal(claims.iss, account.nats.signing_keys[0]);
    assert.equal(claims.exp - claims.iat, 86400);
    assert.deepEqual(claims.nats.pub, { allow: ['a.>'], deny: ['a.b'] });
    assert.deepEqual(claims.nats.sub, { allow: ['wq.> grp'], deny: ['c'] });
    assert.deepEqual(claims.nats.resp, { max: 3, ttl: 2_000_000_000 });
    assert.deepEqual(claims.nats.allowed_connection_types, ['STANDARD', 'WEBSOCKET']);
    assert.equal(claims.nats.payload, 100);
    assert.equal(claims.nats.subs, -1);
  });

  test('a revocation', async (t) => {
    const deployment = await Deployment.create(t);
    await deployment.addUser('SITE', 'app');
    await deployment.run('revoke', 'SITE', 'app');
    const user = verified(deployment.token('users/SITE/app'));
    const account = verified(deployment.token('accounts/SITE'));
    assert.ok(account.nats.revocations[user.sub] >= user.iat);
    const { accounts } = await deployment.list();
    assert.equal(accounts.find(({ name }) => name === 'SITE').users[0].state, 'revoked');
  });

  test('an account with other limits, and the same keys', async (t) => {
    const deployment = await Deployment.create(t, { accounts: [] });
    await deployment.addAccount('SITE', '--max-connections', '7', '--jetstream');
    const before = verified(deployment.token('accounts/SITE'));
    await deployment.run('account', 'set', 'SITE', '--max-payload', '2048', '--no-jetstream');
    const after = verified(deployment.token('accounts/SITE'));
    assert.deepEqual([after.sub, after.nats.signing_keys], [before.sub, before.nats.signing_keys]);
    const { conn, payload, disk_storage } = after.nats.limits;
    assert.deepEqual({ conn, payload, disk_storage }, { conn: 7, payload: 2048, disk_storage: 0 });
    assert.ok(after.iat >= before.iat);
  });

  test('signing keys of accounts: the newest signs, roles have rights, and what is removed leaves no key behind', async (t) => {
    const deployment = await Deployment.create(t);
    const [first] = verified(deployment.token('accounts/SITE')).nats.signing_keys;
    await deployment.run('account', 'set', 'SITE', '--add-signing-key');
    await deployment.run('account', 'set', 'SITE', '--add-signing-key', '--role', 'device', '--allow-pub', 'a.{{name()}}',
      '--max-payload', '10');
    const [, second, scoped] = verified(deployment.token('accounts/SITE')).nats.signing_keys;
    assert.deepEqual([scoped.kind, scoped.role, scoped.template.pub.allow, scoped.template.payload],
      ['user_scope', 'device', ['a.{{name()}}'], 10]);
    await deployment.addUser('SITE', 'plain');
    await deployment.addUser('SITE', 'dev', '--role', 'device');
    assert.equal(verified(deployment.token('users/SITE/plain')).iss, second);
    const device = verified(deployment.token('users/SITE/dev'));
    assert.deepEqual([device.iss, device.nats.pub, device.nats.subs], [scoped.key, {}, 0]);
    await deployment.run('account', 'set', 'SITE', '--remove-signing-key', first);
    await deployment.run('account', 'set', 'SITE', '--remove-signing-key', second);
    assert.deepEqual(readdirSync(path.join(deployment.dir, 'keys', 'accounts')).filter((name) => name.startsWith('SITE')),
      ['SITE.nk', `SITE.signing.${scoped.key}.nk`]);
    assert.equal((await deployment.account('SITE')).users.find(({ name }) => name === 'plain').state, 'unknown_issuer');
  });

  test('signing keys of the operator: all accounts are signed with the newest', async (t) => {
    const deployment = await Deployment.create(t);
    const before = verified(deployment.token('operator'));
    await deployment.run('operator', 'set', '--add-signing-key');
    await deployment.run('operator', 'set', '--remove-signing-key', before.nats.signing_keys[0]);
    const after = verified(deployment.token('operator'));
    assert.equal(after.sub, before.sub);
    assert.equal(after.nats.signing_keys.length, 1);
    for (const name of ['SITE', 'SYS'])
      assert.equal(verified(deployment.token(`accounts/${name}`)).iss, after.nats.signing_keys[0]);
  });

  test('private keys are for their owner alone', async (t) => {
    const deployment = await Deployment.create(t);
    for (const name of ['operator.nk', 'operator.signing.nk', 'accounts/SITE.nk', 'accounts/SITE.signing.nk', 'sys.creds'])
      assert.equal(statSync(path.join(deployment.dir, 'keys', name)).mode & 0o777, 0o600, name);
    assert.equal(statSync(path.join(deployment.dir, 'keys')).mode & 0o777, 0o700);
  });
});

describe('what it refuses', () => {
  const rows = [
    { what: 'an action that is not there', args: ['account', 'rename', 'X'], text: /there is no action "account rename"/ },
    { what: 'a name too few', args: ['user', 'add', 'SITE'], text: /lsys nats user add ACCOUNT NAME --creds FILE/ },
    { what: 'a flag of another action', args: ['account', 'add', 'X', '--bearer'], text: /--bearer means nothing/ },
    { what: 'a name that is a path', args: ['account', 'add', '../X'], text: /the name of an account/ },
    { what: 'a hidden name', args: ['user', 'add', 'SITE', '.x', '--creds', 'x'], text: /the name of a user/ },
    { what: 'a user without a file for it', args: ['user', 'add', 'SITE', 'x'], text: /--creds is missing/ },
    { what: 'an unknown account', args: ['user', 'add', 'NONE', 'x', '--creds', 'x'], text: /no account "NONE".*account add NONE/ },
    { what: 'no subject', args: ['user', 'add', 'SITE', 'x', '--creds', 'x', '--allow-pub', 'a..b'], text: /"a\.\.b" is not a subject/ },
    { what: 'a queue where none can be', args: ['user', 'add', 'SITE', 'x', '--creds', 'x', '--allow-pub', 'a q'], text: /is not a subject/ },
    { what: 'an unknown kind of connection', args: ['user', 'add', 'SITE', 'x', '--creds', 'x', '--connection', 'fax'], text: /--connection: one of standard/ },
    { what: 'an account that is there', args: ['account', 'add', 'SITE'], text: /exists already/ },
    { what: 'removing an account that is not there', args: ['account', 'remove', 'X'], text: /there is no account "X"/ },
    { what: 'removing the system account', args: ['account', 'remove', 'SYS'], text: /servers need the system account/ },
    { what: 'a role without a key', args: ['account', 'set', 'SITE', '--role', 'r'], text: /--role goes with --add-signing-key/ },
    { what: 'permissions of an account', args: ['account', 'set', 'SITE', '--allow-pub', 'a'], text: /of a user or of a --role/ },
    { what: 'a role that is not there', args: ['user', 'add', 'SITE', 'x', '--creds', 'x', '--role', 'r'], text: /no role "r".*--add-signing-key --role r/ },
    { what: 'rights beside those of a role', args: ['user', 'add', 'SITE', 'x', '--creds', 'x', '--role', 'r', '--max-payload', '1'], text: /no role "r"|none of its own/ },
    { what: 'removing a key that is none', args: ['account', 'set', 'SITE', '--remove-signing-key', 'x'], text: /not a signing key of the account/ },
    { what: 'an operator without a change', args: ['operator', 'set'], text: /--add-signing-key, or --remove-signing-key KEY/ },
    { what: 'revoking nobody', args: ['revoke', 'SITE', 'nobody'], text: /has no user "nobody"/ },
  ];
  for (const { what, args, text } of rows) {
    test(what, async (t) => {
      const deployment = await Deployment.create(t);
      const result = await deployment.try(...args);
      assert.notEqual(result.code, 0);
      assert.match(result.stderr, text);
    });
  }

  test('a second operator in the same folder, and a folder without one', async (t) => {
    const deployment = await Deployment.create(t);
    const before = deployment.token('operator');
    assert.match((await lsys(['nats', 'init', '--out', deployment.dir])).stderr, /exists already/);
    assert.equal(deployment.token('operator'), before);
    const empty = await lsys(['nats', 'ls', '--dir', temporaryFolder(t)]);
    assert.match(empty.stderr, /lsys nats init --out DIR/);
  });

  test('a user of a name that is taken, until it is revoked', async (t) => {
    const deployment = await Deployment.create(t);
    await deployment.addUser('SITE', 'app');
    const again = path.join(deployment.folder, 'again.creds');
    const taken = await deployment.try('user', 'add', 'SITE', 'app', '--creds', again);
    assert.equal(taken.code, 75);
    assert.match(taken.stderr, /revoke it first/);
    await deployment.run('revoke', 'SITE', 'app');
    await deployment.run('user', 'add', 'SITE', 'app', '--creds', again);
  });

  test('credentials that cannot be written, and no such user is left', async (t) => {
    const deployment = await Deployment.create(t);
    const result = await deployment.try('user', 'add', 'SITE', 'app', '--creds', path.join(deployment.folder, 'no', 'app.creds'));
    assert.notEqual(result.code, 0);
    await deployment.addUser('SITE', 'app');
  });

  test('an account that another operator signed', async (t) => {
    const deployment = await Deployment.create(t);
    const foreign = await encodeAccount('SITE', createAccount(), {}, { signer: createOperator() });
    writeFileSync(path.join(deployment.dir, 'accounts', 'SITE.jwt'), foreign);
    for (const args of [['push'], ['ls'], ['config', '--out', path.join(deployment.folder, 'nats.conf')]]) {
      const result = await deployment.try(...args);
      assert.match(result.stderr, /is not a key of the operator/, args[0]);
      assert.notEqual(result.code, 0);
    }
  });

  test('the last signing key of the operator is not taken away', async (t) => {
    const deployment = await Deployment.create(t);
    const { signing_keys: [{ key }] } = await deployment.list();
    assert.match((await deployment.try('operator', 'set', '--remove-signing-key', key)).stderr, /add another one first/);
  });

  test('a private key that is kept elsewhere is asked for by name', async (t) => {
    const deployment = await Deployment.create(t);
    const { signing_keys: [{ key }] } = await deployment.account('SITE');
    rmSync(path.join(deployment.dir, 'keys', 'accounts', 'SITE.signing.nk'));
    const result = await deployment.try('user', 'add', 'SITE', 'x', '--creds', path.join(deployment.folder, 'x.creds'));
    assert.match(result.stderr, new RegExp(`the private key of ${key} is not in .*/keys`));
  });

  test('keys that others may read', async (t) => {
    const deployment = await Deployment.create(t);
    chmodSync(path.join(deployment.dir, 'keys', 'accounts', 'SITE.signing.nk'), 0o644);
    const result = await deployment.try('user', 'add', 'SITE', 'x', '--creds', path.join(deployment.folder, 'x.creds'));
    assert.match(result.stderr, /chmod 600/);
  });

  test('push without a server', async (t) => {
    const deployment = await Deployment.create(t);
    const result = await deployment.try('push', '--nats', 'nats://127.0.0.1:1', '--timeout', '300ms');
    assert.notEqual(result.code, 0);
    assert.match(result.stderr, /refused|no NATS server/i);
  });
});

test('the configuration goes to stdout, too', async (t) => {
  const deployment = await Deployment.create(t);
  const text = await lsysOk(['nats', 'config', '--dir', deployment.dir, '--out', '-', '--listen', '127.0.0.1:7777']);
  assert.match(text, /^listen: "127\.0\.0\.1:7777"$/m);
  assert.match(text, /^ {4}type: full$/m);
  assert.match(text, new RegExp(`${decode(deployment.token('accounts/SITE')).sub}: "${deployment.token('accounts/SITE')}"`));
  const memory = await lsysOk(['nats', 'config', '--dir', deployment.dir, '--out', '-', '--resolver', 'memory']);
  assert.match(memory, /^resolver: MEMORY$/m);
});
