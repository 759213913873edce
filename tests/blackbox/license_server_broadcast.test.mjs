// What a license server says on NATS, heard by stock clients and checked with jose; on the broker that it brings along
// and on real nats-servers.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import * as jose from 'jose';
import { bareToken } from './lib/client.mjs';
import { temporaryFolder } from './lib/folders.mjs';
import { HEARTBEAT_MS, LicenseServer, Listener } from './lib/license_server.mjs';
import { start } from './lib/lsys.mjs';
import { natsServers } from './lib/peers.mjs';
import { freePort } from './lib/ports.mjs';
import { suiteContext } from './lib/suite.mjs';
import { Vendor } from './lib/vendor.mjs';
import { until } from './lib/wait.mjs';

const PLACES = [{ name: 'its own broker' }, ...natsServers()];

/// The vendor's key set as jose wants it, with the vendor's keys by their `kid`.
const ringOf = (vendor) => jose.createLocalJWKSet(JSON.parse(readFileSync(vendor.keys, 'utf8')));

const sha256 = (text) => createHash('sha256').update(text).digest('base64url');

/// Checks a message as a careful consumer in any language would; gives the claims of its proof.
async function checkMessage(message) {
  const { cnf } = jose.decodeJwt(message.proof);
  const key = await jose.importJWK(cnf.jwk, 'EdDSA');
  const { payload, protectedHeader } = await jose.jwtVerify(message.proof, key, { typ: 'status+jwt', algorithms: ['EdDSA'] });
  assert.equal(protectedHeader.kid, await jose.calculateJwkThumbprint(cnf.jwk));
  assert.equal(message.v, 1);
  assert.equal(message.server_id, payload.iss);
  assert.equal(message.seq, payload.seq);
  assert.ok(Number.isSafeInteger(message.seq) && message.seq > 2 ** 32);
  assert.match(message.sent_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.equal(Date.parse(message.sent_at), Math.round(payload.sent_at * 1000));
  assert.equal(message.heartbeat_interval_ms, payload.heartbeat_interval_ms);
  assert.equal(message.license.status, payload.status);
  assert.equal(message.license.license_id ?? undefined, payload.license_id);
  assert.equal(message.license.serial ?? undefined, payload.serial);
  if (message.token) assert.equal(payload.token_sha256, sha256(message.token));
  return payload;
}

for (const { name, program } of PLACES) {
  describe(`license server on ${name}`, () => {
    const t = suiteContext();
    let vendor;
    let license;
    let server;
    let listener;

    before(async () => {
      vendor = await Vendor.create(temporaryFolder(t));
      license = await vendor.issue('acme.lic', ['--feature', 'sso', '--feature', 'nodes=50', '--feature', 'tier=gold',
        '--degrade', 'sso=advise', '--seats', '25', '--valid-for', '60d', '--product', 'rocket']);
      let nats;
      if (program) {
        const port = await freePort();
        const broker = start(t, program, ['-a', '127.0.0.1', '-p', String(port)]);
        await broker.untilOutput(/Server is ready/);
        nats = `nats://127.0.0.1:${port}`;
      }
      server = await LicenseServer.start(t, vendor, { license, nats });
      listener = await Listener.start(t, server.nats);
    });

    test('heartbeats come at their interval, numbered and proven', async () => {
      const heartbeats = () => listener.messages.filter((message) => message.type === 'heartbeat');
      await until('three heartbeats', () => heartbeats().length >= 3);
      const [first, second, third] = heartbeats();
      for (const message of [first, second, third]) {
        assert.equal(message.token, undefined);
        assert.equal(message.heartbeat_interval_ms, HEARTBEAT_MS);
        const proof = await checkMessage(message);
        assert.equal(proof.token_sha256, sha256(bareToken(license)));
        assert.equal(proof.nonce, undefined);
      }
      assert.ok(first.seq < second.seq && second.seq < third.seq);
      const gap = Date.parse(third.sent_at) - Date.parse(first.sent_at);
      assert.ok(gap >= HEARTBEAT_MS && gap < 10 * HEARTBEAT_MS, `two intervals took ${gap} ms`);
    });

    test('the license in a message is what was issued', async () => {
      const { license: said } = await listener.ask();
      assert.equal(said.status, 'valid');
      assert.equal(said.edition, 'enterprise');
      assert.equal(said.licensed, true);
      assert.equal(said.customer, 'ACME');
      assert.equal(said.product, 'rocket');
      assert.equal(said.serial, vendor.serial);
      assert.deepEqual(said.features, { sso: true, nodes: 50, tier: 'gold' });
      assert.deepEqual(said.degrade, { sso: 'advise' });
      assert.deepEqual(said.seats, { total: 25, enforced: false });
      const { exp, jti } = jose.decodeJwt(bareToken(license));
      assert.equal(Date.parse(said.expires_at), exp * 1000);
      assert.equal(said.license_id, jti);
    });

    test('a request is answered with its nonce, the token and a proof of both', async () => {
      const nonce = randomBytes(16).toString('base64url');
      const answer = await listener.ask(nonce);
      assert.equal(answer.type, 'status');
      const proof = await checkMessage(answer);
      assert.equal(proof.nonce, nonce);
      assert.equal(answer.token, bareToken(license));
      const { payload } = await jose.jwtVerify(answer.token, ringOf(vendor), { typ: 'license+jwt' });
      assert.equal(payload.sub, 'ACME');
    });

    test('a request without a nonce is answered too; nonsense is not, and harms nothing', async () => {
      const answer = await listener.ask();
      assert.equal((await checkMessage(answer)).nonce, undefined);
      for (const data of ['{', '[]x', 'null', '{"nonce":7}', '{"nonce":""}', `{"nonce":"${'n'.repeat(65)}"}`,
        '{"nonce":"a\\u0000b"}', '\u0000', `{"x":"${'y'.repeat(2000)}"}`]) {
        await assert.rejects(listener.connection.request('license.status.get', data, { timeout: 150 }), /TIMEOUT/);
      }
      assert.equal((await listener.ask('still-there')).type, 'status');
    });

    test('an altered message does not verify', async () => {
      const answer = await listener.ask();
      const parts = answer.proof.split('.');
      const claims = JSON.parse(Buffer.from(parts[1], 'base64url'));
      claims.status = 'revoked';
      parts[1] = Buffer.from(JSON.stringify(claims)).toString('base64url');
      await assert.rejects(checkMessage({ ...answer, proof: parts.join('.') }), /signature/);
      await assert.rejects(checkMessage({ ...answer, license: { ...answer.license, status: 'expired' } }));
    });

    test('GET /v1/license says the same as the broadcast', async () => {
      const { license: said } = await listener.ask();
      const shown = await server.license();
      for (const [member, value] of Object.entries(said)) assert.deepEqual(shown[member], value, member);
      assert.equal(shown.source, 'file');
      assert.equal(shown.problem, null);
    });
  });
}
