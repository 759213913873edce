// What only the embedded broker does in operator mode: its folder, scoped keys, the answers to system users.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import * as browserNats from 'nats.ws';
import WebSocket from 'ws';
import { Deployment, startTrustingBroker } from './lib/accounts.mjs';
import { temporaryFolder } from './lib/folders.mjs';
import { get } from './lib/http.mjs';
import { lsys, lsysOk } from './lib/lsys.mjs';
import { createAccount, createOperator, createUser, decode, encodeAccount, encodeOperator, encodeUser, fmtCreds,
  newScopedSigner } from './lib/nats_jwt.mjs';
import { freePort } from './lib/ports.mjs';
import { RawNats } from './lib/raw_nats.mjs';
import { until } from './lib/wait.mjs';

globalThis.WebSocket = WebSocket; // nats.ws takes the browser's; Node 18 has none of its own

/// A deployment that npm nats-jwt made; startTrustingBroker takes it as well as our own.
class ForeignDeployment {
  constructor(t) {
    this.folder = temporaryFolder(t);
    this.dir = this.folder;
    this.accounts = path.join(this.folder, 'accounts');
    this.operator = createOperator();
  }

  static async create(t, operator = {}) {
    const deployment = new ForeignDeployment(t);
    await deployment.write('operator', await encodeOperator('foreign', deployment.operator, operator));
    return deployment;
  }

  /// Files appear whole, as everything that writes into such a folder should do it.
  async write(name, token) {
    const file = path.join(this.folder, `${name}.jwt`);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(`${file}.new`, `${token}\n`);
    renameSync(`${file}.new`, file);
  }

  async addAccount(name, claims, { key = createAccount(), signer = this.operator, exp } = {}) {
    const limits = { subs: -1, data: -1, payload: -1, conn: -1, leaf: -1, imports: -1, exports: -1, wildcards: true };
    const token = await encodeAccount(name, key, { limits, ...claims }, { signer, exp });
    await this.write(`accounts/${name}`, token);
    return { key, token };
  }

  /// Gives the path of a new user's credentials.
  async addUser(name, issuer, claims, options) {
    const user = createUser();
    const unlimited = options?.scopedUser ? {} : { subs: -1, data: -1, payload: -1 };
    const token = await encodeUser(name, user, issuer, { ...unlimited, ...claims }, options);
    const file = path.join(this.folder, `${name}.creds`);
    writeFileSync(file, fmtCreds(token, user));
    return file;
  }
}

/// A request to delete accounts, as nsc makes it.
function genericToken(signer, subject, accounts) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const head = `${part({ typ: 'JWT', alg: 'ed25519-nkey' })}.${part({ jti: 'x', iat: Math.floor(Date.now() / 1000),
    iss: signer.getPublicKey(), sub: subject, nats: { accounts, version: 2 } })}`;
  return `${head}.${Buffer.from(signer.sign(Buffer.from(head))).toString('base64url')}`;
}

const ends = (connection, text) => connection.untilEnded().then((error) => assert.match(error.message, text));

describe('the folder of accounts', () => {
  test('is that of lsys nats: what changes there holds without a push', async (t) => {
    const deployment = await Deployment.create(t);
    const server = await startTrustingBroker(t, deployment);
    const creds = await deployment.addUser('SITE', 'app');
    const user = await server.connect(creds);
    await deployment.addAccount('LATE');
    const late = await deployment.addUser('LATE', 'app');
    await until('the new account', () => server.connect(late).then(() => true));
    await deployment.run('revoke', 'SITE', 'app');
    await ends(user, /user authentication revoked|authorization violation/i);
    await server.refuses(creds);
  });

  test('gives accounts other limits while it runs', async (t) => {
    const deployment = await Deployment.create(t);
    const server = await startTrustingBroker(t, deployment);
    await deployment.run('account', 'set', 'SITE', '--max-payload', '77');
    const creds = await deployment.addUser('SITE', 'app');
    await until('the limit', async () => {
      const { nc } = await server.connect(creds);
      return nc.info.max_payload === 77;
    });
  });

  test('may be written over in place', async (t) => {
    const deployment = await ForeignDeployment.create(t);
    const { key } = await deployment.addAccount('A');
    const server = await startTrustingBroker(t, deployment);
    const user = await server.connect(await deployment.addUser('u', key));
    const revoked = await encodeAccount('A', key, { limits: { conn: -1, subs: -1, data: -1, payload: -1 },
      revocations: { '*': Math.floor(Date.now() / 1000) + 1 } }, { signer: deployment.operator });
    writeFileSync(path.join(deployment.accounts, 'A.jwt'), revoked);
    await ends(user, /user authentication revoked|authorization violation/i);
  });

  test('an account whose file goes away is shut, and open again when it comes back', async (t) => {
    const deployment = await ForeignDeployment.create(t);
    const { key, token } = await deployment.addAccount('A');
    const server = await startTrustingBroker(t, deployment);
    const creds = await deployment.addUser('u', key);
    const user = await server.connect(creds);
    rmSync(path.join(deployment.accounts, 'A.jwt'));
    await ends(user, /authorization violation/i);
    await server.refuses(creds);
    await deployment.write('accounts/B', token);
    await until('the account to be back', () => server.connect(creds).then(() => true));
  });

  test('what is not a good token changes nothing', async (t) => {
    const deployment = await ForeignDeployment.create(t);
    const { key } = await deployment.addAccount('A');
    const server = await startTrustingBroker(t, deployment);
    const creds = await deployment.addUser('u', key);
    const user = await server.connect(creds);
    await deployment.write('accounts/A', 'no token');
    await server.process.untilOutput(/account not taken over.*A\.jwt/);
    await deployment.addAccount('A', {}, { key, signer: createOperator() });
    await server.process.untilOutput(/unknown_issuer/);
    await user.nc.flush();
    await server.connect(creds);
  });

  test('of two files for one account the newer token counts', async (t) => {
    const deployment = await ForeignDeployment.create(t);
    const key = createAccount();
    const revoked = await encodeAccount('A', key, { limits: { conn: -1 }, revocations: { '*': 4000000000 } },
      { signer: deployment.operator });
    await until('another second', () => Math.floor(Date.now() / 1000) > decode(revoked).iat);
    await deployment.addAccount('A', {}, { key });
    await deployment.write('accounts/0-older', revoked);
    await deployment.write('accounts/Z-older', revoked);
    const server = await startTrustingBroker(t, deployment);
    await server.connect(await deployment.addUser('u', key));
  });

  test('an account whose own time runs out drops its clients', async (t) => {
    const deployment = await ForeignDeployment.create(t);
    const { key } = await deployment.addAccount('A', {});
    const server = await startTrustingBroker(t, deployment);
    const creds = await deployment.addUser('u', key);
    const user = await server.connect(creds);
    await deployment.addAccount('A', {}, { key, exp: Math.floor(Date.now() / 1000) + 3 });
    await ends(user, /account authentication expired/i);
    await server.refuses(creds);
  });
});

test('the operator changes its signing keys while the broker runs', async (t) => {
  const deployment = await Deployment.create(t);
  const server = await startTrustingBroker(t, deployment);
  const kept = await server.connect(await deployment.addUser('SITE', 'app'));
  const before = deployment.token('accounts/SITE');
  const [{ key }] = (await deployment.list()).signing_keys;
  await deployment.run('operator', 'set', '--add-signing-key');
  await deployment.addAccount('LATE');
  const late = await deployment.addUser('LATE', 'app');
  await until('an account that the new key signed', () => server.connect(late).then(() => true));
  await deployment.run('operator', 'set', '--remove-signing-key', key);
  await server.process.untilOutput(/operator taken over[^]*operator taken over/);
  const { signing_keys: keys } = await deployment.list();
  assert.ok(keys.length === 1 && keys[0].key !== key);
  await kept.nc.flush();
  // What the old key signed counts no more.
  const system = await server.connect(deployment.systemCreds);
  const { error } = (await system.nc.request('$SYS.REQ.CLAIMS.UPDATE', before, { timeout: 3000 })).json();
  assert.match(error.description, /not a key of the operator/);
  // Another operator in the same file is not taken over.
  const stranger = await Deployment.create(t);
  writeFileSync(path.join(deployment.dir, 'operator.jwt'), stranger.token('operator'));
  await server.process.untilOutput(/operator not taken over.*names another operator/);
  await server.connect(late);
});

test('a signing key that is removed drops those who are connected with it', async (t) => {
  const deployment = await Deployment.create(t);
  const server = await startTrustingBroker(t, deployment);
  const user = await server.connect(await deployment.addUser('SITE', 'app'));
  const [{ key }] = (await deployment.account('SITE')).signing_keys;
  await deployment.run('account', 'set', 'SITE', '--add-signing-key', '--remove-signing-key', key);
  await ends(user, /authorization violation/i);
});

describe('rights', () => {
  test('of a scoped key, with its variables', async (t) => {
    const deployment = await ForeignDeployment.create(t);
    const scoped = createAccount();
    const template = { subs: -1, data: -1, payload: -1, pub: { allow: ['own.{{name()}}.>'], deny: [] },
      sub: { allow: ['own.{{ name() }}.>', 'by.{{account-name()}}'], deny: [] } };
    const { key } = await deployment.addAccount('A', { signing_keys: [newScopedSigner(scoped, 'role', template)] });
    const server = await startTrustingBroker(t, deployment);
    const scope = { scopedUser: true };
    const account = { issuer_account: key.getPublicKey() };
    const user = await server.connect(await deployment.addUser('ann', scoped, account, scope));
    const heard = await user.collect('own.ann.>');
    await user.collect('by.A');
    await user.say('own.ann.x', '1');
    await user.say('own.bob.x', '2');
    await user.untilDenied('publish', 'own.bob.x');
    await until('the message', () => heard.length === 1);
    assert.equal(user.errors.length, 1);
    await server.refuses(await deployment.addUser('a.b', scoped, account, scope));
    await server.refuses(await deployment.addUser('*', scoped, account, scope));
    await server.refuses(await deployment.addUser('more', scoped, { ...account, subs: -1, data: -1, payload: -1 }));
  });

  test('that cannot be kept are refused', async (t) => {
    const deployment = await ForeignDeployment.create(t);
    const scoped = createAccount();
    const { key } = await deployment.addAccount('A', { signing_keys: [newScopedSigner(scoped, 'role',
      { subs: -1, data: -1, payload: -1, pub: { allow: [], deny: ['{{tag(x)}}'] } })] });
    const server = await startTrustingBroker(t, deployment);
    await server.refuses(await deployment.addUser('src', key, { src: ['10.0.0.0/8'] }));
    await server.refuses(await deployment.addUser('times', key, { times: [{ start: '00:00:00', end: '00:00:01' }] }));
    await server.refuses(await deployment.addUser('subject', key, { pub: { allow: [], deny: ['a..b'] } }));
    await server.refuses(await deployment.addUser('tag', scoped, { issuer_account: key.getPublicKey() },
      { scopedUser: true }));
  });

  test('of an account that only nats-server can look after are refused, or said not to hold', async (t) => {
    const deployment = await ForeignDeployment.create(t);
    const { key } = await deployment.addAccount('A', { authorization: { auth_users: [createUser().getPublicKey()] } });
    await deployment.addAccount('M', { mappings: { a: [{ subject: 'b', weight: 100 }] } });
    const server = await startTrustingBroker(t, deployment);
    await server.process.untilOutput(/account not taken over.*A\.jwt.*authorization/);
    await server.process.untilOutput(/subject mappings are not carried out/);
    await server.refuses(await deployment.addUser('u', key));
  });

  test('by default are those of the account', async (t) => {
    const deployment = await ForeignDeployment.create(t);
    const { key } = await deployment.addAccount('A', { default_permissions: { pub: { allow: ['open'], deny: [] } } });
    const server = await startTrustingBroker(t, deployment);
    const user = await server.connect(await deployment.addUser('u', key));
    await user.say('shut', '');
    await user.untilDenied('publish', 'shut');
    const own = await server.connect(await deployment.addUser('own', key, { pub: { allow: ['shut'], deny: [] } }));
    await own.say('open', '');
    await own.untilDenied('publish', 'open');
  });

  test('that an account takes away end what was allowed', async (t) => {
    const deployment = await ForeignDeployment.create(t);
    const { key } = await deployment.addAccount('A', { default_permissions: { sub: { allow: ['a', 'b'], deny: [] } } });
    const server = await startTrustingBroker(t, deployment);
    const user = await server.connect(await deployment.addUser('u', key));
    const a = await user.collect('a');
    const b = await user.collect('b');
    await deployment.addAccount('A', { default_permissions: { sub: { allow: ['b'], deny: [] } } }, { key });
    await user.untilDenied('subscription', 'a');
    await user.say('a', '1');
    await user.say('b', '2');
    await until('the message', () => b.length === 1);
    assert.deepEqual(a, []);
  });

  test('a strict operator wants signing keys', async (t) => {
    const signing = createOperator();
    const deployment = await ForeignDeployment.create(t, { signing_keys: [signing.getPublicKey()],
      strict_signing_key_usage: true });
    const key = createAccount();
    const second = createAccount();
    await deployment.addAccount('A', { signing_keys: [second.getPublicKey()] }, { key, signer: signing });
    const other = await deployment.addAccount('B');
    const server = await startTrustingBroker(t, deployment);
    await server.connect(await deployment.addUser('good', second, { issuer_account: key.getPublicKey() }));
    await server.refuses(await deployment.addUser('identity', key));
    await server.refuses(await deployment.addUser('wrong', other.key));
  });

  test('a bearer token is refused where the account forbids it', async (t) => {
    const deployment = await ForeignDeployment.create(t);
    const { key } = await deployment.addAccount('A', { limits: { conn: -1, subs: -1, data: -1, payload: -1,
      disallow_bearer: true } });
    const server = await startTrustingBroker(t, deployment);
    await server.refuses(await deployment.addUser('bearer', key, { bearer_token: true }));
  });
});

test('a user for browsers comes in by WebSocket only, and hears the others of its account', async (t) => {
  const deployment = await Deployment.create(t);
  const port = await freePort();
  const server = await startTrustingBroker(t, deployment, { flags: ['--websocket', `127.0.0.1:${port}`] });
  const creds = await deployment.addUser('SITE', 'page', '--connection', 'websocket');
  const standard = await deployment.addUser('SITE', 'app', '--connection', 'standard');
  await server.refuses(creds);
  const app = await server.connect(standard);
  const enter = (file) => browserNats.connect({ servers: `ws://127.0.0.1:${port}`, reconnect: false,
    authenticator: browserNats.credsAuthenticator(readFileSync(file)) });
  await assert.rejects(enter(standard), { code: 'AUTHORIZATION_VIOLATION' });
  const page = await enter(creds);
  t.after(() => page.close());
  const heard = await app.collect('news');
  page.publish('news', 'from the page');
  await until('the message', () => heard.length === 1);
});

test('the monitoring port tells who is connected, of which account', async (t) => {
  const deployment = await Deployment.create(t);
  const port = await freePort();
  const server = await startTrustingBroker(t, deployment, { flags: ['--http', `127.0.0.1:${port}`] });
  const { nc } = await server.connect(await deployment.addUser('SITE', 'app'));
  const { json } = await get(`http://127.0.0.1:${port}/connz`);
  const connection = json.connections.find(({ cid }) => cid === nc.info.client_id);
  assert.equal(connection.authorized_user, decode(deployment.token('users/SITE/app')).sub);
  assert.equal(connection.account, decode(deployment.token('accounts/SITE')).sub);
});

test('TLS and operator mode go together', async (t) => {
  const deployment = await Deployment.create(t);
  const pki = path.join(deployment.folder, 'pki');
  const prefix = path.join(deployment.folder, 'server');
  await lsysOk(['ca', 'init', '--out', pki]);
  await lsysOk(['ca', 'issue', '--ca', pki, '--name', 'localhost', '--san', 'IP:127.0.0.1', '--out', prefix]);
  const ca = path.join(pki, 'ca.pem');
  const server = await startTrustingBroker(t, deployment, { resolver: path.join(deployment.folder, 'empty'),
    flags: ['--tls-cert', `${prefix}.pem`, '--tls-key', `${prefix}.key.pem`] });
  const creds = await deployment.addUser('SITE', 'app');
  await deployment.run('push', '--nats', `tls://localhost:${server.port}`, '--nats-ca', ca, '--timeout', '500ms');
  const user = await server.connect(creds, { tls: { caFile: ca } });
  await user.nc.flush();
  assert.equal(user.nc.info.tls_required, true);
});

describe('the system account', () => {
  const request = async (connection, subject, data) => (await connection.nc.request(subject, data, { timeout: 3000 }));

  test('looks accounts up and lists them', async (t) => {
    const deployment = await Deployment.create(t);
    const server = await startTrustingBroker(t, deployment);
    const system = await server.connect(deployment.systemCreds);
    const token = deployment.token('accounts/SITE');
    const { sub } = decode(token);
    assert.equal((await request(system, `$SYS.REQ.ACCOUNT.${sub}.CLAIMS.LOOKUP`)).string(), token);
    const stranger = createAccount().getPublicKey();
    assert.equal((await request(system, `$SYS.REQ.ACCOUNT.${stranger}.CLAIMS.LOOKUP`)).string(), '');
    const { data, server: who } = (await request(system, '$SYS.REQ.CLAIMS.LIST')).json();
    assert.deepEqual([...data].sort(), [sub, decode(deployment.token('accounts/SYS')).sub].sort());
    assert.equal(who.id, system.nc.info.server_id);
  });

  test('gets all accounts in a pack, which an empty message ends', async (t) => {
    const deployment = await Deployment.create(t);
    const server = await startTrustingBroker(t, deployment);
    const system = await server.connect(deployment.systemCreds);
    const lines = await system.collect('pack.here');
    system.nc.publish('$SYS.REQ.CLAIMS.PACK', '', { reply: 'pack.here' });
    await until('the end of the pack', () => lines.at(-1) === '');
    const expected = ['SITE', 'SYS'].map((name) => deployment.token(`accounts/${name}`))
      .map((token) => `${decode(token).sub}|${token}`);
    assert.deepEqual(lines.slice(0, -1).sort(), expected.sort());
  });

  test('deletes accounts for the operator alone, and never itself', async (t) => {
    const deployment = await ForeignDeployment.create(t, { system_account: undefined });
    const { key: system } = await deployment.addAccount('SYS');
    const signing = createOperator();
    await deployment.write('operator', await encodeOperator('foreign', deployment.operator,
      { system_account: system.getPublicKey(), signing_keys: [signing.getPublicKey()] }));
    const { key } = await deployment.addAccount('A');
    const server = await startTrustingBroker(t, deployment);
    const user = await server.connect(await deployment.addUser('u', key));
    const asker = await server.connect(await deployment.addUser('s', system));
    const ask = async (signer, accounts, subject = signer) => (await request(asker, '$SYS.REQ.CLAIMS.DELETE',
      genericToken(signer, subject.getPublicKey(), accounts))).json();
    const a = key.getPublicKey();
    for (const [answer, text] of [
      [await ask(createOperator(), [a]), /not a key of the operator/],
      [await ask(key, [a]), /"iss" is not/],
      [await ask(signing, [a], deployment.operator), /not issued to its own issuer/],
      [await ask(signing, [system.getPublicKey()]), /the system account cannot be deleted/],
      [await ask(signing, ['x']), /"accounts" is not a public NKey/],
      [await ask(signing, [createAccount().getPublicKey()]), /is not known here/],
    ]) assert.match(answer.error.description, text);
    await user.nc.flush();
    assert.equal((await ask(signing, [a])).data.message, 'deleted 1 accounts');
    await ends(user, /authorization violation/i);
    assert.ok(existsSync(path.join(deployment.accounts, 'A.jwt.deleted')));
  });

  test('is told why a token is not taken over', async (t) => {
    const deployment = await Deployment.create(t);
    const server = await startTrustingBroker(t, deployment);
    const system = await server.connect(deployment.systemCreds);
    const foreign = await encodeAccount('X', createAccount(), {}, { signer: createOperator() });
    const update = async (token) => (await request(system, '$SYS.REQ.CLAIMS.UPDATE', token)).json();
    for (const [token, text] of [[foreign, /not a key of the operator/], ['', /not a NATS token/], ['a.b.c', /header/],
      [deployment.token('users/SYS/sys'), /not the one of an account/]]) {
      const { error } = await update(token);
      assert.equal(error.code, 500);
      assert.match(error.description, text);
    }
    const old = deployment.token('accounts/SITE');
    await until('another second', () => Math.floor(Date.now() / 1000) > decode(old).iat);
    await deployment.addUser('SITE', 'u');
    await deployment.run('revoke', 'SITE', 'u');
    await until('the newer token to be in force', async () =>
      (await request(system, `$SYS.REQ.ACCOUNT.${decode(old).sub}.CLAIMS.LOOKUP`)).string() !== old);
    assert.match((await update(old)).error.description, /issued before the one in force/);
  });

  test('is not for other accounts', async (t) => {
    const deployment = await Deployment.create(t);
    const server = await startTrustingBroker(t, deployment);
    const user = await server.connect(await deployment.addUser('SITE', 'app'));
    await assert.rejects(request(user, '$SYS.REQ.CLAIMS.LIST'), { code: '503' });
    await assert.rejects(request(user, '$SYS.REQ.CLAIMS.UPDATE', deployment.token('accounts/SITE')), { code: '503' });
  });

  test('its user who revokes itself is dropped', async (t) => {
    const deployment = await Deployment.create(t);
    const server = await startTrustingBroker(t, deployment);
    const system = await server.connect(deployment.systemCreds);
    await deployment.run('revoke', 'SYS', 'sys');
    system.nc.publish('$SYS.REQ.CLAIMS.UPDATE', deployment.token('accounts/SYS'));
    await ends(system, /user authentication revoked|authorization violation/i);
  });
});

test('many accounts are pushed at the pace of who takes them', async (t) => {
  const deployment = await Deployment.create(t, { accounts: [] });
  const names = Array.from({ length: 70 }, (_, i) => `A${i}`);
  for (const name of names) await deployment.addAccount(name);
  const server = await startTrustingBroker(t, deployment, { resolver: path.join(deployment.folder, 'empty') });
  const printed = await deployment.run('push', '--nats', server.url, '--timeout', '5s');
  assert.equal(printed.match(/: 200 jwt updated$/mg).length, names.length + 1);
  await server.connect(await deployment.addUser('A69', 'app'));
});

describe('signing in', () => {
  const token = async (t, flags = []) => {
    const deployment = await Deployment.create(t);
    await deployment.addUser('SITE', 'app', ...flags);
    return { deployment, jwt: deployment.token('users/SITE/app'), server: await startTrustingBroker(t, deployment) };
  };

  for (const [what, fields] of [
    ['no signature', {}],
    ['an empty signature', { sig: '' }],
    ['a signature of zeros', { sig: Buffer.alloc(64).toString('base64url') }],
    ['a token that is cut', { cut: 10, sig: Buffer.alloc(64).toString('base64url') }],
    ['an account of its choice', { account: 'SITE' }],
  ]) {
    test(`${what} is refused`, async (t) => {
      const { jwt, server } = await token(t);
      const raw = await RawNats.connect(t, server.port);
      const { cut = 0, ...rest } = fields;
      raw.send(`CONNECT ${JSON.stringify({ verbose: false, jwt: jwt.slice(0, jwt.length - cut), ...rest })}\r\n`);
      await raw.untilText(/-ERR 'Authorization Violation'/);
      await raw.untilClosed();
    });
  }

  test('a second CONNECT cannot change who one is', async (t) => {
    const { deployment, jwt, server } = await token(t, ['--bearer', '--deny-pub', 'x']);
    await deployment.addUser('SITE', 'all', '--bearer');
    const raw = await RawNats.connect(t, server.port);
    raw.send(`CONNECT ${JSON.stringify({ verbose: false, jwt })}\r\n`);
    raw.send(`CONNECT ${JSON.stringify({ verbose: false, jwt: deployment.token('users/SITE/all') })}\r\n`);
    raw.send('PUB x 0\r\n\r\n');
    await raw.untilText(/-ERR 'Permissions Violation for Publish to "x"'/);
  });

  test('INFO asks for it with a nonce that is never the same', async (t) => {
    const { server } = await token(t);
    const infos = [];
    for (let i = 0; i < 3; i++) infos.push((await RawNats.connect(t, server.port)).info);
    assert.ok(infos.every((info) => info.auth_required && info.nonce.length === 15));
    assert.equal(new Set(infos.map((info) => info.nonce)).size, 3);
  });
});

test('flags that do not go together are refused', async (t) => {
  const deployment = await Deployment.create(t);
  const operator = path.join(deployment.dir, 'operator.jwt');
  const accounts = path.join(deployment.dir, 'accounts');
  for (const [args, text] of [
    [['--operator', operator], /--operator and --resolver-dir go together/],
    [['--resolver-dir', accounts], /--operator and --resolver-dir go together/],
    [['--operator', path.join(accounts, 'SITE.jwt'), '--resolver-dir', accounts], /not the one of an operator/],
    [['--operator', '/nowhere.jwt', '--resolver-dir', accounts], /nowhere\.jwt/],
  ]) {
    const result = await lsys(['broker', '--listen', '127.0.0.1:0', ...args]);
    assert.notEqual(result.code, 0);
    assert.match(result.stderr, text);
  }
});
