// HTTPS of lsys against nginx with the same certificate: full and resumed handshakes, small answers on kept connections.
// Load comes from openssl s_time and wrk. Not part of the default benches, since it needs nginx and wrk installed.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../blackbox/lib/ports.mjs';
import { until } from '../blackbox/lib/wait.mjs';
import { asLoad, asServer, cpuSeconds, median, underWrk } from './measure.mjs';

const lsys = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../lsys');
const CONNECTIONS = 64;
const FULL = 'full handshake and request';
const repeat = Number(process.env.REPEAT ?? 3);
const seconds = process.env.SECONDS_EACH ?? '2';

const folder = mkdtempSync(path.join(tmpdir(), 'lsys-bench-'));
const at = (name) => path.join(folder, name);

function makeCertificate() {
  execFileSync(lsys, ['ca', 'init', '--out', at('pki')], { stdio: 'ignore' });
  execFileSync(lsys, ['ca', 'issue', '--ca', at('pki'), '--name', 'localhost', '--san', 'IP:127.0.0.1', '--out', at('edge')],
    { stdio: 'ignore' });
}

function nginxConfiguration(port, body) {
  writeFileSync(at('nginx.conf'), `
daemon off; master_process off; pid ${at('nginx.pid')}; error_log ${at('nginx.log')};
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 1000000000;
  client_body_temp_path ${at('body')}; proxy_temp_path ${at('proxy')}; fastcgi_temp_path ${at('fastcgi')};
  uwsgi_temp_path ${at('uwsgi')}; scgi_temp_path ${at('scgi')};
  ssl_protocols TLSv1.2; ssl_session_cache shared:s:1m; ssl_session_tickets off;
  ssl_certificate ${at('edge.pem')}; ssl_certificate_key ${at('edge.key.pem')};
  server { listen 127.0.0.1:${port} ssl; location / { default_type application/json; return 200 '${body}'; } }
}`);
  return ['nginx', '-c', at('nginx.conf'), '-p', folder];
}

const ask = (port) => new Promise((resolve, reject) => {
  https.get({ host: '127.0.0.1', port, path: '/healthz', ca: readFileSync(at('pki/ca.pem')), agent: false }, (response) => {
    let body = '';
    response.on('data', (piece) => { body += piece; });
    response.on('end', () => resolve(body));
  }).on('error', reject);
});

async function start(name, port, argv) {
  const [program, ...args] = asServer(argv);
  const child = spawn(program, args, { stdio: 'ignore' });
  const body = await until(`${name} to answer`, () => ask(port));
  return { name, port, child, body, costs: {} };
}

/// Gives a function that connects anew for each request, with full or resumed handshakes: the processor time of the
/// server for one of them, in microseconds.
function handshakes(kind) {
  return ({ port, child }) => {
    const [program, ...args] = asLoad(['openssl', 's_time', '-connect', `127.0.0.1:${port}`, kind, '-time', seconds, '-www', '/healthz']);
    const before = cpuSeconds(child.pid);
    const text = execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return (1e6 * (cpuSeconds(child.pid) - before)) / Number(text.match(/(\d+) connections in \d+ real/)[1]);
  };
}

/// A request on a connection that is there already: the handshakes that a run begins with are taken off again.
function kept({ port, child, costs }) {
  const { requests, cost } = underWrk(`https://127.0.0.1:${port}/healthz`, child.pid, { connections: CONNECTIONS, seconds });
  return cost - (CONNECTIONS * (costs[FULL] - cost)) / requests;
}

// `aim`: requests for each second of the server's processor time, compared with nginx.
const measurements = [
  { name: FULL, once: handshakes('-new'), aim: '' },
  { name: 'resumed handshake and request', once: handshakes('-reuse'), aim: '' },
  { name: 'request on a kept connection', once: kept, aim: '> 0.9' },
];

const servers = [];
try {
  makeCertificate();
  const ports = [await freePort(), await freePort()];
  const own = await start('lsys', ports[1], [lsys, 'broker', '--listen', '127.0.0.1:0', '--http', `127.0.0.1:${ports[1]}`,
    '--tls-cert', at('edge.pem'), '--tls-key', at('edge.key.pem')]);
  servers.push(own);
  servers.unshift(await start('nginx', ports[0], nginxConfiguration(ports[0], own.body)));
  console.log(`${'processor time of the server, us'.padEnd(34)}${'nginx'.padStart(12)}${'lsys'.padStart(12)}${'nginx/lsys'.padStart(12)}  aim`);
  for (const { name, once, aim } of measurements) {
    const values = servers.map(() => []);
    for (let i = 0; i < repeat; i++) servers.forEach((server, index) => values[index].push(once(server)));
    servers.forEach((server, index) => { server.costs[name] = median(values[index]); });
    const [theirs, ours] = servers.map(({ costs }) => costs[name]);
    console.log(`${name.padEnd(34)}${theirs.toFixed(1).padStart(12)}${ours.toFixed(1).padStart(12)}${(theirs / ours).toFixed(2).padStart(12)}  ${aim}`);
  }
} finally {
  for (const { child } of servers) child.kill();
  rmSync(folder, { recursive: true, force: true });
}
