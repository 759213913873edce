/*
 * Shows the stack that `GET /v1/stack` describes, live by the server-sent events of `/v1/events` (each carries the
 * same document). Whatever arrives is put on the page as text nodes only: names come from licenses and hosts.
 */

const SECOND_MS = 1000;
const byId = (id) => document.getElementById(id);

let latest = null;        // the last document
let receivedAt = 0;       // performance.now() when it came: ages go on from there, whatever the wall clocks say
let lastSequence = null;  // of the last heartbeat shown

function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key === 'data') Object.assign(made.dataset, value);
    else made[key] = value;
  }
  made.append(...children.filter((child) => child !== null && child !== undefined).map((child) =>
    child instanceof Node ? child : String(child)));
  return made;
}

function duration(ms) {
  const units = [['d', 86400 * SECOND_MS], ['h', 3600 * SECOND_MS], ['m', 60 * SECOND_MS], ['s', SECOND_MS]];
  for (let i = 0; i < units.length; i++) {
    const [name, size] = units[i];
    if (ms < size && i < units.length - 1) continue;
    const next = units[i + 1];
    const rest = next ? Math.floor((ms % size) / next[1]) : 0;
    return `${Math.floor(ms / size)} ${name}${rest ? ` ${rest} ${next[0]}` : ''}`;
  }
  return '';
}

function localTime(text) {
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? String(text)
    : time.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
}

function clockTime(text) {
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? '' : time.toLocaleTimeString();
}

function factList(pairs) {
  return pairs.filter(([, value]) => value !== undefined && value !== null && value !== '')
    .flatMap(([label, value]) => [element('dt', { textContent: label }),
      element('dd', {}, value instanceof Node ? value : String(value))]);
}

function showVerdict(license) {
  byId('verdict').dataset.status = license.status;
  byId('edition').textContent = `${license.edition} edition`;
  byId('reason').textContent = license.reason ?? '';
  const facts = [
    ['Status', element('span', { className: 'status-word', textContent: license.status })],
    ['Customer', license.customer],
    ['License', license.license_id],
    ['Serial', license.serial],
    ['Seats', license.seats?.total],
    ['Expires', license.expires_at ? localTime(license.expires_at) : null],
  ];
  const list = byId('license-facts');
  list.replaceChildren(...chunk(factList(facts), 2).map((pair) => element('div', {}, ...pair)));
}

function chunk(items, size) {
  const chunks = [];
  for (let i = 0; i < items.length; i += size) chunks.push(items.slice(i, i + size));
  return chunks;
}

function showFeatures(features) {
  const names = Object.keys(features ?? {}).sort();
  byId('features').replaceChildren(...(names.length
    ? names.map((name) => element('li', {}, name,
      features[name] === true ? null : element('b', {}, ` ${features[name]}`)))
    : [element('li', { className: 'none', textContent: 'none beyond the community edition' })]));
}

function showRole(role) {
  return element('li', { className: 'role', data: { ready: String(role.ready) } },
    element('h3', {}, role.name, element('span', { className: 'role-state', textContent: role.condition })),
    element('p', { textContent: role.reasons?.length ? role.reasons.join('; ') : role.detail || role.summary }),
    element('dl', {}, ...factList((role.facts ?? []).map((fact) => [fact.label, fact.value]))));
}

function showEvent(event) {
  return element('li', { data: { level: event.level } },
    element('time', { dateTime: event.time, textContent: clockTime(event.time) }),
    element('span', { className: 'who', textContent: event.role }),
    element('span', { className: 'what', textContent: event.text }));
}

function showCommand(command) {
  return element('li', {}, element('p', { textContent: command.purpose }), element('code', { textContent: command.line }));
}

function showHeartbeat() {
  const heartbeat = latest?.heartbeat;
  const age = byId('pulse-age');
  if (!heartbeat || heartbeat.age_ms === null || heartbeat.age_ms === undefined) {
    byId('heartbeat-age').textContent = '–';
    byId('heartbeat-note').textContent = 'no heartbeat yet';
    age.style.strokeDasharray = '0 100';
    return;
  }
  const ageMs = heartbeat.age_ms + (performance.now() - receivedAt);
  const share = Math.min(1, ageMs / heartbeat.timeout_ms);
  byId('heartbeat-age').textContent = duration(ageMs);
  byId('heartbeat-note').textContent = `since the last heartbeat of ${duration(heartbeat.timeout_ms)} allowed`;
  age.style.strokeDasharray = `${share * 100} 100`;
}

function beat() {
  const pulse = byId('pulse');
  pulse.classList.remove('beat');
  void pulse.offsetWidth;   // restarts the animation
  pulse.classList.add('beat');
}

function show(stack) {
  latest = stack;
  receivedAt = performance.now();
  byId('version').textContent = stack.version;
  document.title = `${stack.license.status} · lsys`;
  showVerdict(stack.license);
  showFeatures(stack.license.features);
  byId('roles').replaceChildren(...stack.roles.map(showRole));
  byId('events').replaceChildren(...stack.events.map(showEvent));
  byId('commands').replaceChildren(...stack.commands.map(showCommand));
  showHeartbeat();
  if (stack.heartbeat?.count !== undefined && stack.heartbeat.count !== lastSequence) {
    if (lastSequence !== null) beat();
    lastSequence = stack.heartbeat.count;
  }
}

function link(state, words) {
  byId('link').dataset.state = state;
  byId('link').textContent = words;
}

const source = new EventSource('/v1/events');
source.addEventListener('open', () => link('live', 'live'));
source.addEventListener('stack', (event) => show(JSON.parse(event.data)));
source.addEventListener('error', () => link('lost', 'no answer from lsys; trying again'));
setInterval(showHeartbeat, SECOND_MS);
