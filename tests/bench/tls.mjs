// HTTPS of lsys against nginx with the same certificate: full and resumed handshakes, small answers on kept connections.
// Load comes from openssl s_time and wrk. Not part of the default benches, since it needs nginx and wrk installed.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../blackbox/lib/ports.mjs';
import { until } from '../blackbox/lib/wait.mjs';

const lsys = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../lsys');
const repeat = Number(process.env.REPEAT ?? 3);
const seconds = process.env.SECONDS_EACH ?? '2';
const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

// One processor each for server and load, where there are two.
const pinned = cpus().length >= 2 && spawnSync('taskset', ['-V']).status === 0;
const pin = (cpu, argv) => (pinned ? ['taskset', '-c', `${cpu}`, ...argv] : argv);
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

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
  const [program, ...args] = pin(1, argv);
  const child = spawn(program, args, { stdio: 'ignore' });
  const body = await until(`${name} to answer`, () => ask(port));
  return { name, port, child, body };
}

/// Seconds of processor time that a process has used.
function used({ child }) {
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

const load = (argv) => spawnSync(pin(0, argv)[0], pin(0, argv).slice(1), { encoding: 'utf8' }).stdout;
const sTime = (kind) => ({ port }) => Number(load(['openssl', 's_time', '-connect', `127.0.0.1:${port}`, kind, '-time', seconds,
  '-www', '/healthz']).match(/(\d+) connections in \d+ real/)[1]);
const wrk = ({ port }) => Number(load(['wrk', '-t1', '-c64', `-d${seconds}s`, `https://127.0.0.1:${port}/healthz`])
  .match(/(\d+) requests in/)[1]);

// `aim`: requests for each second of the server's processor time, compared with nginx.
const measurements = [
  { name: 'full handshake and request', once: sTime('-new'), aim: '' },
  { name: 'resumed handshake and request', once: sTime('-reuse'), aim: '' },
  { name: 'request on a kept connection', once: wrk, aim: '> 0.9' },
];

/// Microseconds of the server's processor time for one operation.
function cost(server, once) {
  const before = used(server);
  const count = once(server);
  return (1e6 * (used(server) - before)) / count;
}

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
    for (let i = 0; i < repeat; i++) servers.forEach((server, index) => values[index].push(cost(server, once)));
    const [theirs, ours] = values.map(median);
    console.log(`${name.padEnd(34)}${theirs.toFixed(1).padStart(12)}${ours.toFixed(1).padStart(12)}${(theirs / ours).toFixed(2).padStart(12)}  ${aim}`);
  }
} finally {
  for (const { child } of servers) child.kill();
  rmSync(folder, { recursive: true, force: true });
}
