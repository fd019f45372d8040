// The page of the sandbox. It shows what the control API reports, and does what the control API can do.
//
// Everything that a client or a supplier wrote is shown with `textContent`, never as HTML.
'use strict';

// With defaults of their own: see the schema `Fault` of the control API.
const FAULTS = [
  ['reset-after', 'takes effect, no response'],
  ['reset-before', 'takes no effect, no response'],
  ['carried-out-late', 'takes effect 5 s after the connection closed'],
  ['latency', 'response after 2 s'],
  ['silence', 'no response, connection stays open'],
  ['throttled:1', '429, retry after 1 s'],
  ['unavailable', '503, takes no effect'],
  ['failed-after', '502, takes effect'],
  ['truncated', 'takes effect, half a response'],
  ['wrong-body', 'takes effect, HTML in place of JSON'],
];

const sections = new Map();

function main() {
  const listen = () => {
    const events = new EventSource('/events');
    events.addEventListener('open', () => showConnection('Live', true));
    events.addEventListener('error', () => showConnection('Disconnected; trying again …', false));
    events.addEventListener('state', (event) => showState(JSON.parse(event.data)));
  };
  button('advance-all', () => call('POST', '/advance'));
  button('reset-all', () => call('POST', '/reset'));
  run(async () => {
    const suppliers = await call('GET', '/suppliers');
    for (const supplier of suppliers) addSupplier(supplier);
    listen();
  });
}

function button(id, action) {
  document.getElementById(id).addEventListener('click', () => run(action));
}

// Runs an action and shows its error.
async function run(action) {
  try {
    await action();
    showMessage('');
  } catch (error) {
    showMessage(error.message);
  }
}

function showMessage(text) {
  const message = document.getElementById('message');
  message.textContent = text;
  message.hidden = text === '';
}

function showConnection(text, live) {
  const element = document.getElementById('connection');
  if (element.textContent !== text) element.textContent = text;
  element.classList.toggle('live', live);
}

// Calls the control API and returns the response body.
async function call(method, path, body) {
  const init = { method };
  if (body !== undefined) {
    init.headers = { 'Content-Type': 'application/json' };
    init.body = JSON.stringify(body);
  }
  const response = await fetch(path, init);
  if (response.status === 204) return null;
  const value = await response.json();
  if (!response.ok) throw new Error(value.error ?? `${method} ${path}: ${response.status}`);
  return value;
}

function element(name, text, className) {
  const created = document.createElement(name);
  if (text !== undefined) created.textContent = text;
  if (className) created.className = className;
  return created;
}

function addSupplier(supplier) {
  const key = supplier.supplier;
  const section = document.getElementById('supplier').content.cloneNode(true).firstElementChild;
  const find = (selector) => section.querySelector(selector);
  section.id = key;
  const title = find('h2');
  title.id = `${key}-title`;
  title.textContent = supplier.name;
  title.append(' ', element('small', supplier.country));
  section.setAttribute('aria-labelledby', title.id);
  find('.objects').parentElement.setAttribute('aria-label', `Orders of ${supplier.name}`);
  find('.requests').parentElement.setAttribute('aria-label', `Requests to ${supplier.name}`);
  for (const [selector, what] of [['.run-example', ''], ['.advance', ''], ['.reset', '']]) {
    const control = find(selector);
    control.setAttribute('aria-label', `${control.textContent}${what}: ${supplier.name}`);
  }

  const facts = find('.facts');
  const fact = (name, value) => facts.append(element('dt', name), value);
  const value = (text) => {
    const dd = element('dd');
    dd.append(element('code', text));
    return dd;
  };
  fact('Base URL', value(supplier.baseUrl));
  for (const credential of supplier.credentials) fact(credential.name, value(credential.value));
  const link = element('a', 'openapi.yaml');
  link.href = supplier.document;
  const linked = element('dd');
  const reference = element('a', 'API reference with a console');
  reference.href = `/reference/?of=${key}`;
  linked.append(reference, ', ', link);
  fact('Document', linked);
  find('.shell pre').textContent = shellLines(supplier);

  const operation = find('select[name=operation]');
  operation.append(new Option('all operations', '*'));
  for (const one of supplier.operations) operation.append(new Option(one.operation));
  operation.value = { cocon: 'createDelayedConnectionBatch', covage: 'updateOrder', onapi: 'createOrder' }[key] ?? '*';
  const kind = find('select[name=kind]');
  for (const [name, meaning] of FAULTS) kind.append(new Option(`${name}: ${meaning}`, name));

  find('.run-example').addEventListener('click', () => run(() => runExample(key)));
  find('.advance').addEventListener('click', () => run(() => call('POST', `/suppliers/${key}/advance`)));
  find('.reset').addEventListener('click', () => run(() => call('POST', `/suppliers/${key}/reset`)));
  find('.no-faults').addEventListener('click', () => run(async () => {
    await call('DELETE', `/suppliers/${key}/faults`);
    await call('DELETE', `/suppliers/${key}/script`);
  }));
  find('form.fault').addEventListener('submit', (event) => {
    event.preventDefault();
    run(() => setFault(key, new FormData(event.target)));
  });
  find('.shell').addEventListener('toggle', () => run(async () => {
    find('.shell pre').textContent = shellLines(await call('GET', `/suppliers/${key}`));
  }));
  document.getElementById('suppliers').append(section);
  sections.set(key, section);
}

function shellLines(supplier) {
  return supplier.example.map((step) => `# ${step.title}\n${step.curl}`).join('\n\n');
}

async function setFault(key, form) {
  const [operation, fault, share] = ['operation', 'kind', 'share'].map((name) => form.get(name));
  if (share === 'next' && operation !== '*') {
    await call('POST', `/suppliers/${key}/script`, { operation, fault });
    return;
  }
  if (share === 'next') throw new Error('Choose an operation: the next request is that of one operation.');
  const faults = await call('GET', `/suppliers/${key}/faults`);
  faults.push({ faults: [fault], share: Number(share), operations: operation === '*' ? [] : [operation] });
  await call('PUT', `/suppliers/${key}/faults`, faults);
}

// Sends the requests of the example one after the other. Variables come from earlier responses.
async function runExample(key) {
  const supplier = await call('GET', `/suppliers/${key}`);
  const variables = new Map();
  const fill = (text) => text.replace(/\$([A-Z]+)/g, (all, name) => variables.get(name) ?? all);
  for (const step of supplier.example) {
    const headers = Object.fromEntries(Object.entries(step.headers).map(([name, value]) => [name, fill(value)]));
    const init = { method: step.method, headers };
    if (step.body !== undefined) init.body = fill(step.body);
    const response = await fetch(`/try/${key}${fill(step.path)}`, init);
    const text = await response.text();
    if (!response.ok) throw new Error(`${supplier.name}, ${step.title}: ${response.status}. ${excerpt(text)}`);
    if (step.sets === undefined) continue;
    try {
      variables.set(step.sets.variable, JSON.parse(text)[step.sets.field]);
    } catch {
      throw new Error(`${supplier.name}, ${step.title}: the response is not JSON. ${excerpt(text)}`);
    }
  }
}

function excerpt(text) {
  return text.length > 300 ? `${text.slice(0, 300)} …` : text;
}

function showState(state) {
  showConnection('Live', true);
  const speed = state.clock.speed;
  document.getElementById('clock').textContent = state.clock.mode === 'manual'
    ? 'Time stands still until you let it pass. With each day, every open order advances by one state.'
    : `A day takes ${Number((86400 / speed).toPrecision(3))} s. With each day, every open order advances by one state.`;
  for (const supplier of state.suppliers) {
    const section = sections.get(supplier.supplier);
    if (section) showSupplier(section, supplier);
  }
}

function showSupplier(section, supplier) {
  const key = supplier.supplier;
  const find = (selector) => section.querySelector(selector);
  find('.time').textContent = supplier.time.replace('T', ' ').replace('Z', '');
  find('.count').textContent = supplier.objectCount || '';
  const arrived = Object.values(supplier.effects.operations).reduce((sum, one) => sum + one.received, 0);
  find('.count-requests').textContent = arrived || '';
  const objects = supplier.objects.toReversed();
  showRows(find('.objects tbody'), objects, (one) => `${one.kind} ${one.id}`, objectCells(key),
    'Nothing yet. Place an example order, or send a request to the base URL.');
  const requests = supplier.requests.toReversed();
  showRows(find('.requests tbody'), requests, (one) => String(one.number), requestCells, 'No request yet.');
  showFaults(find('.active-faults'), supplier);
}

// Shows one row per item, the first on top. Rows of items that stay the same are kept, so that the focus stays.
function showRows(body, items, keyOf, cellsOf, empty) {
  const old = new Map([...body.rows].map((row) => [row.dataset.key, row]));
  const rows = items.map((item) => {
    const key = keyOf(item);
    const text = JSON.stringify(item);
    const known = old.get(key);
    if (known?.dataset.text === text) return known;
    const row = element('tr');
    row.dataset.key = key;
    row.dataset.text = text;
    row.append(...cellsOf(item));
    if (known) row.classList.add('changed');
    return row;
  });
  if (rows.length === 0) {
    const row = element('tr');
    const cell = element('td', empty, 'hint');
    cell.colSpan = body.parentElement.tHead.rows[0].cells.length;
    row.append(cell);
    rows.push(row);
  }
  const focused = body.contains(document.activeElement) ? focusKey(document.activeElement) : null;
  if (rows.length !== body.rows.length || rows.some((row, index) => row !== body.rows[index])) {
    body.replaceChildren(...rows);
  }
  if (focused) restoreFocus(body, focused);
}

function focusKey(focused) {
  return [focused.closest('tr')?.dataset.key, focused.dataset.result];
}

// Puts the focus back on the button that had it, or on the table if the button is gone.
function restoreFocus(body, [key, result]) {
  if (body.contains(document.activeElement)) return;
  const row = [...body.rows].find((one) => one.dataset.key === key);
  (row?.querySelector(`button[data-result="${result}"]`) ?? body.closest('.scroll')).focus();
}

function cell(...content) {
  const td = element('td');
  td.append(...content);
  return td;
}

function objectCells(supplier) {
  return (object) => {
    const what = cell(element('span', object.reference ?? object.description, 'main'));
    if (object.reference !== null) what.append(element('span', object.description, 'sub'));
    what.append(element('code', `${object.kind} ${object.id}`, 'sub'));
    const state = element('span', object.state, `state ${object.open ? 'open' : ended(object.state)}`);
    const actions = element('span', undefined, 'actions');
    if (object.open) {
      for (const [label, result] of [['Finish', 'success'], ['Fail', 'failure']]) {
        const action = element('button', label, 'small');
        action.type = 'button';
        action.dataset.result = result;
        action.setAttribute('aria-label', `${label} ${object.kind} ${object.id}`);
        const path = `/suppliers/${supplier}/objects/${encodeURIComponent(object.id)}/finish`;
        action.addEventListener('click', () => run(() => call('POST', path, { result })));
        actions.append(action);
      }
    }
    return [what, cell(state, actions)];
  };
}

function ended(state) {
  if (/fail|reject/i.test(state)) return 'bad';
  return /draft/i.test(state) ? 'neutral' : 'good';
}

function requestCells(request) {
  const path = request.query ? `${request.path}?${request.query}` : request.path;
  const what = cell(
    element('span', request.operation ?? 'no operation', 'main'),
    element('code', `${request.method} ${path}`, 'sub'),
  );
  if (request.problems.length > 0) what.append(element('span', request.problems.join('; '), 'sub problem'));
  const status = request.status === 0 ? 'none' : String(request.status);
  const kind = request.status >= 200 && request.status < 400 ? 'good' : 'bad';
  const outcome = cell(element('span', status, `state ${kind}`));
  if (request.fault) outcome.append(element('span', request.fault, 'fault'));
  return [what, outcome, cell(request.tookEffect ? 'yes' : 'no')];
}

function showFaults(list, supplier) {
  const lines = supplier.scripted.map((one) => `next ${one.operation}: ${one.step}`);
  for (const one of supplier.faults) {
    const share = `${Number((one.share * 100).toPrecision(4))} % of ${one.operations.join(', ') || 'all requests'}`;
    if (one.share > 0) lines.push(`${share}: ${one.faults.join(', ')}`);
    if (one.refusedConnections > 0) lines.push(`${Number((one.refusedConnections * 100).toPrecision(4))} % of all connections: reset`);
  }
  const text = JSON.stringify(lines);
  if (list.dataset.text === text) return;
  list.dataset.text = text;
  list.replaceChildren(...lines.map((line) => element('li', line)));
}

main();
