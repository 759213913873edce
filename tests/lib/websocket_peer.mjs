// A WebSocket peer that nobody here wrote (npm ws), for the unit tests of ours:
//   node websocket_peer.mjs server PORT    echoes, and does what certain texts say
//   node websocket_peer.mjs client PORT    talks to an echo server, prints "ok" and exits with 0
import assert from 'node:assert/strict';
import { on, once } from 'node:events';
import WebSocket, { WebSocketServer } from 'ws';

const [role, port] = process.argv.slice(2);

const commands = {
  'ping me': (socket) => {
    socket.once('pong', (data) => socket.send(`pong ${data}`));
    socket.ping('are you there');
  },
  'close me': (socket) => socket.close(4002, 'as you wish'),
  'cut me off': (socket) => socket.terminate(),
  'send fragments': (socket) => {
    socket.send('frag', { fin: false });
    socket.ping('between');
    socket.send('', { fin: false });
    socket.send('ments', { fin: true });
  },
};

function serve() {
  const server = new WebSocketServer({ host: '127.0.0.1', port: Number(port), perMessageDeflate: true,
    handleProtocols: (offered) => (offered.has('echo') ? 'echo' : false) });
  server.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => {
      const command = isBinary ? undefined : commands[data.toString()];
      if (command) command(socket);
      else socket.send(data, { binary: isBinary });
    });
  });
}

async function connect(protocols = []) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, protocols, { perMessageDeflate: true });
  await once(socket, 'open');
  return socket;
}

async function checkEcho(socket, data) {
  socket.send(data);
  const [answer, isBinary] = await once(socket, 'message');
  assert.equal(isBinary, typeof data !== 'string');
  assert.deepEqual(answer, Buffer.from(data));
}

async function talk() {
  const socket = await connect(['unknown', 'echo']);
  assert.equal(socket.protocol, 'echo');
  assert.equal(socket.extensions, '');
  for (const length of [0, 1, 125, 126, 127, 65_535, 65_536, 1_000_000]) {
    await checkEcho(socket, 'x'.repeat(length));
    await checkEcho(socket, Buffer.alloc(length, 7));
  }
  await checkEcho(socket, '\u00e4\u20ac\u{1f600}'.repeat(1000));
  const answers = on(socket, 'message'); // from now on: many may come at once
  for (let i = 0; i < 1000; i++) socket.send(`${i}`);
  for (let i = 0; i < 1000; i++) assert.equal((await answers.next()).value[0].toString(), `${i}`);
  socket.send('frag', { fin: false });
  socket.ping('between');
  socket.send('ments', { fin: true });
  const [[pong], [message]] = await Promise.all([once(socket, 'pong'), once(socket, 'message')]);
  assert.equal(pong.toString(), 'between');
  assert.equal(message.toString(), 'fragments');
  socket.close(4711, 'done');
  const [code, reason] = await once(socket, 'close');
  assert.equal(code, 4711);
  assert.equal(reason.toString(), '');
  console.log('ok');
}

if (role === 'server') serve();
else await talk();
