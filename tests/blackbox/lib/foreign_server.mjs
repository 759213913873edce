// A license server that is not ours: written from the description of license.status with npm jose and nats alone. It
// stands for whoever implements the format in another language, and, in other hands, for a rogue publisher.
import { createHash } from 'node:crypto';
import * as jose from 'jose';
import { connect } from 'nats';

export const SUBJECT = 'license.status';

/// SHA-256 as base64url.
export const digest = (text) => createHash('sha256').update(text).digest('base64url');

export class ForeignServer {
  /// Connects to NATS and makes a key. `token` is a bare license+jwt. `heartbeat_ms` is what it announces.
  static async create(t, natsUrl, token, { heartbeat_ms = 500, id = 'foreign-1' } = {}) {
    const server = new ForeignServer();
    server.id = id;
    server.heartbeat_ms = heartbeat_ms;
    server.seq = 2 ** 32;
    server.status = 'valid';
    server.questions = []; // nonces asked so far
    server.setLicense(token);
    const pair = await jose.generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
    server.key = pair.privateKey;
    const { kty, crv, x } = await jose.exportJWK(pair.publicKey);
    server.jwk = { kty, crv, x };
    server.kid = await jose.calculateJwkThumbprint(server.jwk);
    server.nats = await connect({ servers: natsUrl, reconnect: true, maxReconnectAttempts: -1 });
    t.after(() => {
      clearInterval(server.timer);
      return server.nats.close();
    });
    return server;
  }

  setLicense(token) {
    this.token = token;
    this.claims = token ? jose.decodeJwt(token) : undefined;
  }

  /// What the proof says. `claims` override.
  proofClaims(claims = {}) {
    const sent_at_ms = Date.now();
    return {
      iss: this.id, iat: Math.floor(sent_at_ms / 1000), exp: Math.floor(sent_at_ms / 1000) + 120,
      cnf: { jwk: this.jwk }, seq: ++this.seq, sent_at: sent_at_ms / 1000, heartbeat_interval_ms: this.heartbeat_ms,
      status: this.status,
      ...(this.token && { license_id: this.claims.jti, serial: this.claims.serial, token_sha256: digest(this.token) }),
      ...claims,
    };
  }

  sign(claims, { header = {}, key = this.key } = {}) {
    return new jose.SignJWT(claims).setProtectedHeader({ alg: 'EdDSA', typ: 'status+jwt', kid: this.kid, ...header })
      .sign(key);
  }

  /// One message as an object. `claims` override the proof's, `outer` what stands around it, `signing` how it is signed.
  async message(type, { claims, outer, signing } = {}) {
    const proof = this.proofClaims(claims);
    return {
      v: 1, type, server_id: this.id, seq: proof.seq, sent_at: new Date(Math.round(proof.sent_at * 1000)).toISOString(),
      heartbeat_interval_ms: proof.heartbeat_interval_ms,
      license: { status: proof.status, license_id: proof.license_id, serial: proof.serial,
        edition: this.claims?.edition ?? 'community', features: this.claims?.features ?? {} },
      proof: await this.sign(proof, signing),
      ...(type !== 'heartbeat' && this.token && { token: this.token }),
      ...outer,
    };
  }

  /// Sends bytes, a text or an object to everybody, and waits until the broker has it.
  async publish(message) {
    const raw = typeof message === 'string' || message instanceof Uint8Array;
    this.nats.publish(SUBJECT, raw ? message : JSON.stringify(message));
    await this.nats.flush();
  }

  async say(type, options) {
    const message = await this.message(type, options);
    await this.publish(message);
    return message;
  }

  /// Begins to live like a license server: answers nonces, says its status, sends heartbeats.
  async start() {
    this.subscription = this.nats.subscribe(`${SUBJECT}.get`, {
      callback: async (error, question) => {
        if (error) return;
        const { nonce } = question.json();
        this.questions.push(nonce);
        question.respond(JSON.stringify(await this.message('status', { claims: { nonce } })));
      },
    });
    await this.nats.flush();
    await this.say('status');
    this.timer = setInterval(() => this.say('heartbeat').catch(() => {}), this.heartbeat_ms);
  }

  /// Falls silent.
  stop() {
    clearInterval(this.timer);
    this.subscription?.unsubscribe();
    return this.nats.flush();
  }
}
