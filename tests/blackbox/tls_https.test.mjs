// HTTPS as every role has it, spoken to by curl, openssl and Node; what must be refused is, and said.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFileSync, readFileSync, writeFileSync, chmodSync } from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import { before, describe, test, after } from 'node:test';
import tls from 'node:tls';
import { temporaryFolder } from './lib/folders.mjs';
import { lsys, run, startLsys } from './lib/lsys.mjs';
import { daysFromNow, makeCertificate } from './lib/openssl.mjs';
import { until } from './lib/wait.mjs';

const NAMES = 'subjectAltName = DNS:localhost, DNS:edge-7, IP:127.0.0.1';
const leaf = (names, purpose) => ['basicConstraints = critical, CA:FALSE', `extendedKeyUsage = ${purpose}`, names];

/// A CA and what it issued, made by openssl.
const pki = {};

/// The folder is the whole file's.
let folder;

async function makeEverything() {
  const ca = (name) => makeCertificate(folder, name, { extensions: ['basicConstraints = critical, CA:TRUE',
    'keyUsage = critical, keyCertSign', 'subjectKeyIdentifier = hash'] });
  pki.ca = await ca('ca');
  pki.stranger = await ca('stranger');
  const issue = async (name, options) => {
    pki[name] = await makeCertificate(folder, name, { issuer: pki.ca, ...options });
  };
  await issue('server', { extensions: leaf(NAMES, 'serverAuth') });
  await issue('rsa', { extensions: leaf(NAMES, 'serverAuth'), kind: 'rsa2048' });
  await issue('next', { extensions: leaf(NAMES, 'serverAuth') });
  await issue('edge-8', { extensions: leaf('subjectAltName = DNS:edge-8', 'serverAuth') });
  await issue('expired', { extensions: leaf(NAMES, 'serverAuth'), start: daysFromNow(-9), end: daysFromNow(-1) });
  await issue('client', { extensions: leaf('subjectAltName = DNS:operator', 'clientAuth') });
  await issue('client384', { extensions: leaf('subjectAltName = DNS:operator', 'clientAuth'), kind: 'p384' });
  await issue('foreign', { issuer: pki.stranger, extensions: leaf('subjectAltName = DNS:operator', 'clientAuth') });
  for (const { key } of Object.values(pki)) chmodSync(key, 0o600);
}

const certificateFlags = (...names) => names.flatMap((name) => ['--tls-cert', pki[name].pem, '--tls-key', pki[name].key]);

/// Starts a broker, whose monitoring port stands for any role's; gives {process, port}.
async function serve(t, names, flags = []) {
  const process = startLsys(t, ['broker', '--listen', '127.0.0.1:0', '--http', '127.0.0.1:0',
    ...certificateFlags(...names), ...flags]);
  const [, port] = await process.untilOutput(/url=https:\/\/127\.0\.0\.1:(\d+)/);
  return { process, port: Number(port) };
}

const curl = (url, ...args) => run('curl', ['--silent', '--show-error', '--cacert', pki.ca.pem, ...args, url]);

/// openssl s_client, whose input ends at once unless given. Gives its whole output.
async function sClient(port, args, input = '') {
  const result = await run('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-CAfile', pki.ca.pem, ...args],
    { input });
  return result.stdout + result.stderr;
}

/// One request of Node's own; gives {status, body, fingerprint}.
function request(port, options = {}) {
  return new Promise((resolve, reject) => {
    const call = https.get({ host: '127.0.0.1', port, path: '/healthz', ca: readFileSync(pki.ca.pem), agent: false, ...options },
      (response) => {
        const fingerprint = response.socket.getPeerCertificate().fingerprint256;
        let body = '';
        response.on('data', (piece) => { body += piece; });
        response.on('end', () => resolve({ status: response.statusCode, body, fingerprint }));
      });
    call.on('error', reject);
  });
}

const isAlive = async (port) => assert.equal((await request(port)).status, 200);

describe('HTTPS', () => {
  folder = temporaryFolder({ after });
  before(makeEverything);

  // ---- in order ----

  test('curl and Node are answered, by name and by address', async (t) => {
    const { port } = await serve(t, ['server']);
    for (const host of ['127.0.0.1', 'localhost']) {
      const { stdout, stderr } = await curl(`https://${host}:${port}/healthz`);
      assert.match(stdout, /"status":"ok"/, stderr);
    }
    await isAlive(port);
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
    t.after(() => agent.destroy());
    for (let i = 0; i < 20; i++) assert.equal((await request(port, { agent })).status, 200);
  });

  test('RSA keys serve as well', async (t) => {
    const { port } = await serve(t, ['rsa']);
    await isAlive(port);
    assert.match(await sClient(port, ['-tls1_2']), /ECDHE-RSA-(AES128-GCM-SHA256|CHACHA20-POLY1305)/);
  });

  test('each suite and curve that we speak, and no other', async (t) => {
    const { port } = await serve(t, ['server', 'rsa']);
    const suites = ['AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'CHACHA20-POLY1305'];
    for (const kind of ['ECDSA', 'RSA']) {
      for (const suite of suites) {
        const name = `ECDHE-${kind}-${suite}`;
        assert.match(await sClient(port, ['-tls1_2', '-cipher', name]), new RegExp(`Cipher +: ${name}`));
      }
    }
    for (const curve of ['X25519', 'P-256', 'P-521:P-256']) {
      assert.match(await sClient(port, ['-tls1_2', '-groups', curve]), /Verify return code: 0/, curve);
    }
    for (const curve of ['P-384', 'P-521', 'X448']) { // slow: each would cost the loop 10 ms and more
      assert.match(await sClient(port, ['-tls1_2', '-groups', curve]), /alert handshake failure/, curve);
    }
    for (const suite of ['AES128-SHA', 'AES256-GCM-SHA384', 'AES128-GCM-SHA256', 'ECDHE-RSA-AES128-SHA',
      'ECDHE-ECDSA-AES256-SHA384', 'DHE-RSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES128-CCM', 'AES256-SHA256']) {
      assert.match(await sClient(port, ['-tls1_2', '-cipher', `${suite}:@SECLEVEL=0`]), /alert handshake failure/, suite);
    }
    assert.match(await sClient(port, ['-tls1_2', '-sigalgs', 'ECDSA+SHA1:RSA+SHA1', '-cipher', 'ALL:@SECLEVEL=0']),
      /alert handshake failure/);
    await isAlive(port);
  });

  test('TLS 1.0, 1.1 and 1.3 alone are refused with an alert', async (t) => {
    const { port } = await serve(t, ['server']);
    for (const version of ['-tls1', '-tls1_1', '-tls1_3']) {
      const output = await sClient(port, [version, '-cipher', 'ALL:@SECLEVEL=0']);
      assert.match(output, /alert (protocol version|handshake failure)/, `${version}: ${output}`);
    }
  });

  test('sessions resume, and no session is resumed where clients show certificates', async (t) => {
    const plain = await serve(t, ['server']);
    const output = await sClient(plain.port, ['-tls1_2', '-reconnect']);
    assert.equal(output.match(/^Reused, TLSv1\.2/gm)?.length, 5, output);
    const mutual = await serve(t, ['server'], ['--tls-client-ca', pki.ca.pem]);
    const again = await sClient(mutual.port, ['-tls1_2', '-reconnect', '-cert', pki.client.pem, '-key', pki.client.key]);
    assert.doesNotMatch(again, /^Reused/m);
  });

  test('ALPN is http/1.1', async (t) => {
    const { port } = await serve(t, ['server']);
    assert.match(await sClient(port, ['-alpn', 'h2,http/1.1']), /ALPN protocol: http\/1\.1/);
    assert.match(await sClient(port, ['-alpn', 'h2']), /alert no application protocol/);
    assert.match(await sClient(port, []), /No ALPN negotiated/);
  });

  test('the name chooses among certificates', async (t) => {
    const { port } = await serve(t, ['server', 'edge-8']);
    const subject = async (...args) => (await sClient(port, args)).match(/subject=CN = (\S+)/)?.[1];
    assert.equal(await subject('-servername', 'edge-8'), 'edge-8');
    assert.equal(await subject('-servername', 'EDGE-7'), 'server');
    assert.equal(await subject('-noservername'), 'server');
    assert.equal(await subject('-servername', 'nobody'), 'server');
  });

  test('our own tools call https, and say why they do not', async (t) => {
    const open = await serve(t, ['server']);
    const ready = await lsys(['health', `https://localhost:${open.port}`, '--https-ca', pki.ca.pem]);
    assert.equal(ready.code, 0, ready.stderr);
    const stranger = await lsys(['health', `https://localhost:${open.port}`, '--https-ca', pki.stranger.pem]);
    assert.match(stranger.stderr, /localhost: unknown issuer CN=ca of certificate CN=server/);
    const system = await lsys(['health', `https://localhost:${open.port}`]);
    assert.match(system.stderr, /unknown issuer|no CA certificates/);
    const mutual = await serve(t, ['server'], ['--tls-client-ca', pki.ca.pem]);
    const refused = await lsys(['health', `https://localhost:${mutual.port}`, '--https-ca', pki.ca.pem]);
    assert.match(refused.stderr, /handshake_failure/);
    const known = await lsys(['health', `https://localhost:${mutual.port}`, '--https-ca', pki.ca.pem, '--https-cert',
      pki.client.pem, '--https-key', pki.client.key]);
    assert.equal(known.code, 0, known.stderr);
    const half = await lsys(['health', 'https://localhost:1', '--https-cert', pki.client.pem]);
    assert.match(half.stderr, /--https-cert and --https-key go together/);
  });

  // ---- who must not get in, or be believed ----

  test('clients that trust another CA, or look for another name, refuse us', async (t) => {
    const { port } = await serve(t, ['server']);
    const stranger = await curl(`https://127.0.0.1:${port}/`, '--cacert', pki.stranger.pem);
    assert.equal(stranger.code, 60);
    const misnamed = await curl(`https://edge-9:${port}/`, '--resolve', `edge-9:${port}:127.0.0.1`);
    assert.equal(misnamed.code, 60);
    assert.match(misnamed.stderr, /edge-9/);
  });

  test('an expired certificate is served, and the log says what clients will do', async (t) => {
    const { port, process } = await serve(t, ['expired']);
    assert.match(process.output, /level=warning .*clients will refuse the TLS certificate.*certificate expired on 20/);
    assert.equal((await curl(`https://127.0.0.1:${port}/`)).code, 60);
  });

  test('with --tls-client-ca only the CA\'s clients are let in', async (t) => {
    const { port } = await serve(t, ['server'], ['--tls-client-ca', pki.ca.pem]);
    const as = (name) => ({ cert: readFileSync(pki[name].pem), key: readFileSync(pki[name].key) });
    assert.equal((await request(port, as('client'))).status, 200);
    assert.equal((await request(port, as('client384'))).status, 200); // on a curve that we verify, though not exchange keys on
    await assert.rejects(request(port), /alert handshake failure|ECONNRESET/);
    await assert.rejects(request(port, as('foreign')), /alert unknown ca|ECONNRESET/);
    await assert.rejects(request(port, as('server')), /alert unsupported certificate|ECONNRESET/); // not for clients
    assert.equal((await curl(`https://127.0.0.1:${port}/healthz`, '--cert', pki.client.pem, '--key', pki.client.key)).code, 0);
  });

  test('renegotiation is refused', async (t) => {
    const { port } = await serve(t, ['server']);
    const output = await sClient(port, ['-tls1_2'], 'R\n');
    assert.match(output, /Secure Renegotiation IS supported/);
    assert.match(output, /RENEGOTIATING/);
    assert.match(output, /no renegotiation|no_renegotiation/, output);
    await isAlive(port);
  });

  test('off loopback TLS needs a credential, which client certificates are', async (t) => {
    const refused = await lsys(['broker', '--listen', '127.0.0.1:0', '--http', '0.0.0.0:0', ...certificateFlags('server')]);
    assert.equal(refused.code, 78);
    assert.match(refused.stderr, /would be open to the network without a credential/);
    const process = startLsys(t, ['broker', '--listen', '127.0.0.1:0', '--http', '0.0.0.0:0', ...certificateFlags('server'),
      '--tls-client-ca', pki.ca.pem]);
    await process.untilOutput(/url=https:\/\/0\.0\.0\.0:/);
  });

  // ---- configuration that cannot be ----

  const refuse = async (text, ...flags) => {
    const result = await lsys(['broker', '--listen', '127.0.0.1:0', '--http', '127.0.0.1:0', ...flags]);
    assert.notEqual(result.code, 0);
    assert.match(result.stderr, text);
  };

  test('each mistake is named', async () => {
    const open = path.join(folder, 'open.key.pem');
    copyFileSync(pki.server.key, open);
    chmodSync(open, 0o644);
    await refuse(/--tls-cert and --tls-key go together/, '--tls-cert', pki.server.pem);
    await refuse(/--tls-client-ca needs --tls-cert/, '--tls-client-ca', pki.ca.pem);
    await refuse(/--tls-key: .*chmod/, '--tls-cert', pki.server.pem, '--tls-key', open);
    await refuse(/--tls-cert: .*no-such-file/, '--tls-cert', `${folder}/no-such-file`, '--tls-key', pki.server.key);
    await refuse(/TLS certificate or its key/, '--tls-cert', pki.server.pem, '--tls-key', pki.next.key);
    await refuse(/the CA of TLS clients/, ...certificateFlags('server'), '--tls-client-ca', pki.client.pem);
    await refuse(/no certificate/, '--tls-cert', pki.server.key, '--tls-key', pki.server.key);
  });

  // ---- reloading ----

  const install = (name, at) => {
    writeFileSync(`${at}.key.pem`, readFileSync(pki[name].key), { mode: 0o600 });
    writeFileSync(`${at}.pem`, readFileSync(pki[name].pem));
  };

  for (const how of ['SIGHUP', 'the files']) {
    test(`by ${how}, under load: nobody notices, new connections get the new certificate`, async (t) => {
      const at = path.join(temporaryFolder(t), 'live');
      install('server', at);
      const process = startLsys(t, ['broker', '--listen', '127.0.0.1:0', '--http', '127.0.0.1:0', '--tls-cert', `${at}.pem`,
        '--tls-key', `${at}.key.pem`]);
      const port = Number((await process.untilOutput(/url=https:\/\/127\.0\.0\.1:(\d+)/))[1]);
      const before = (await request(port)).fingerprint;

      const held = tls.connect({ host: '127.0.0.1', port, ca: readFileSync(pki.ca.pem) });
      t.after(() => held.destroy());
      await once(held, 'secureConnect');
      let loading = true;
      let failures = 0;
      const load = Promise.all([1, 2, 3].map(async () => {
        while (loading) await request(port).catch(() => { failures++; });
      }));

      install('next', at);
      if (how === 'SIGHUP') process.signal('SIGHUP');
      await until('the new certificate', async () => (await request(port)).fingerprint !== before);
      loading = false;
      await load;
      assert.equal(failures, 0);

      held.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
      const [answer] = await once(held, 'data');
      assert.match(answer.toString(), /^HTTP\/1\.1 200/);
    });
  }

  test('a bad file leaves the old certificate in force', async (t) => {
    const at = path.join(temporaryFolder(t), 'live');
    install('server', at);
    const process = startLsys(t, ['broker', '--listen', '127.0.0.1:0', '--http', '127.0.0.1:0', '--tls-cert', `${at}.pem`,
      '--tls-key', `${at}.key.pem`]);
    const port = Number((await process.untilOutput(/url=https:\/\/127\.0\.0\.1:(\d+)/))[1]);
    const before = (await request(port)).fingerprint;
    writeFileSync(`${at}.pem`, 'nonsense');
    await process.untilOutput(/level=error .*the new TLS certificate is refused, the old one stays/);
    assert.equal((await request(port)).fingerprint, before);
  });

  // ---- hostile peers ----

  const connect = async (t, port) => {
    const socket = net.connect(port, '127.0.0.1');
    t.after(() => socket.destroy());
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  };

  /// What a peer gets for these bytes until the end.
  const answerTo = async (t, port, bytes) => {
    const socket = await connect(t, port);
    const pieces = [];
    socket.on('data', (piece) => pieces.push(piece));
    socket.write(bytes);
    await once(socket, 'close');
    return Buffer.concat(pieces);
  };

  test('what is no TLS gets an alert and the door', async (t) => {
    const { port } = await serve(t, ['server']);
    const alert = (number) => Buffer.from([21, 3, 3, 0, 2, 2, number]);
    assert.deepEqual(await answerTo(t, port, 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'), alert(10));
    assert.deepEqual(await answerTo(t, port, Buffer.from([22, 3, 1, 255, 255])), alert(22)); // oversized
    assert.deepEqual(await answerTo(t, port, Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0])), alert(10)); // a ServerHello
    assert.equal((await answerTo(t, port, Buffer.from([21, 3, 3, 0, 2, 2, 40]))).length, 0); // its own alert
    await isAlive(port);
  });

  test('records that are altered, cut short or injected end the connection and nothing else', async (t) => {
    const { port } = await serve(t, ['server']);
    for (const harm of ['flip', 'inject', 'cut']) {
      // A man in the middle that harms the first record of application data (type 23) from the client.
      const proxy = net.createServer((near) => {
        const far = net.connect(port, '127.0.0.1');
        near.on('error', () => {});
        far.on('error', () => {});
        far.pipe(near);
        near.on('data', (piece) => {
          if (piece[0] === 23 && harm === 'flip') piece[piece.length - 1] ^= 1;
          if (piece[0] === 23 && harm === 'inject') far.write(Buffer.from([23, 3, 3, 0, 5, 1, 2, 3, 4, 5]));
          if (piece[0] === 23 && harm === 'cut') far.end(piece.subarray(0, 20));
          else far.write(piece);
        });
        near.on('close', () => far.destroy());
      });
      t.after(() => proxy.close());
      proxy.listen(0, '127.0.0.1');
      await once(proxy, 'listening');
      await assert.rejects(request(proxy.address().port), harm);
    }
    await isAlive(port);
  });

  test('a silent peer is sent away, and does not keep others waiting', async (t) => {
    const { port } = await serve(t, ['server']);
    const silent = await connect(t, port);
    const began = performance.now();
    await isAlive(port);
    assert.ok(performance.now() - began < 5000);
    silent.resume();
    await until('the silent peer to be sent away', () => silent.closed, 20_000);
  });

  test('a crowd of handshakes does not starve those who are connected', async (t) => {
    const { port } = await serve(t, ['server']);
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
    t.after(() => agent.destroy());
    await request(port, { agent });
    // Prepared ClientHellos, so that this process does no cryptography while it measures.
    const hello = await new Promise((resolve) => {
      const catcher = net.createServer((socket) => socket.once('data', (bytes) => {
        resolve(bytes);
        socket.destroy();
        catcher.close();
      })).listen(0, '127.0.0.1', () => {
        tls.connect({ port: catcher.address().port, host: '127.0.0.1', maxVersion: 'TLSv1.2' }).on('error', () => {});
      });
    });
    const crowd = await Promise.all(Array.from({ length: 100 }, () => connect(t, port)));
    for (const socket of crowd) socket.write(hello);
    const began = performance.now();
    await request(port, { agent });
    const waited = performance.now() - began;
    t.diagnostic(`answered after ${waited.toFixed(1)} ms beside 100 handshakes`);
    assert.ok(waited < 1000, `${waited} ms`);
  });
});
