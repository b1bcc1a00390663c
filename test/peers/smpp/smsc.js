'use strict';
// An SMSC made of the npm library "smpp", driven by a test. The protocol is the
// library's; what is here decides how the SMSC behaves.
//
//   node smsc.js '{"system_id":"hopital","password":"secret"}'
//
// It prints one line of JSON once it listens, {"smpp":port,"control":port}, takes
// orders by HTTP on the control port, and ends when its standard input closes.

const fs = require('fs');
const http = require('http');
const smpp = require('smpp');

const options = Object.assign({
  system_id: 'hopital',
  password: 'secret',
  ids: 'decimal', // 'hex': the response in hexadecimal, the receipt in decimal; 'both': hexadecimal twice
  form: 'text', // of receipts: 'text', 'tlv' or 'both'
  refuse: [], // destinations refused with ESME_RINVDSTADR
  key: '', // PEM files: TLS when given
  cert: '',
}, JSON.parse(process.argv[2] || '{}'));

// How the SMSC behaves now; POST /behave changes any of these.
const behaviour = {
  mode: 'accept', // throttle, full, silent, cut, down, status
  status: 0, // command_status answered in mode "status"
  throttleAfter: -1, // parts accepted before throttling begins; -1: never
  early: false, // send the receipt before the response
  receipts: false, // send a receipt for each message by itself
};

const sessions = new Set();
const received = []; // complete messages
const assembling = new Map(); // long messages by destination and reference
let sequence = 1000; // of message ids
let accepted = 0;
let parts = 0;
let unacknowledged = 0;
let refusals = 0;
let binds = 0;
let mostInFlight = 0;
let enquiries = 0;

function ids() {
  const n = ++sequence;
  switch (options.ids) {
    case 'hex': return { response: n.toString(16).toUpperCase(), receipt: String(n).padStart(10, '0') };
    case 'both': return { response: n.toString(16), receipt: n.toString(16).toUpperCase() };
    default: return { response: String(n), receipt: String(n).padStart(10, '0') };
  }
}

function textOf(pdu) {
  const field = pdu.short_message && pdu.short_message.message && pdu.short_message.message.length
    ? pdu.short_message : pdu.message_payload;
  const text = field && field.message !== undefined ? field.message : '';
  let part = null;
  for (const element of (field && field.udh) || []) {
    if (element[0] === 0x00) part = { ref: element[2], total: element[3], number: element[4] };
    if (element[0] === 0x08) part = { ref: element.readUInt16BE(2), total: element[4], number: element[5] };
  }
  return { text: String(text), part };
}

// take keeps a part and returns the message once it is whole.
function take(pdu, id) {
  const { text, part } = textOf(pdu);
  const base = {
    to: pdu.destination_addr,
    source: pdu.source_addr,
    text,
    id: id.response,
    receiptID: id.receipt,
    expires: pdu.validity_period instanceof Date ? pdu.validity_period.toISOString() : '',
    coding: pdu.data_coding,
    registered: pdu.registered_delivery,
    ton: [pdu.source_addr_ton, pdu.source_addr_npi, pdu.dest_addr_ton, pdu.dest_addr_npi],
    parts: 1,
    payload: Boolean(pdu.message_payload && pdu.message_payload.message && pdu.message_payload.message.length),
  };
  if (!part) {
    base.index = received.length;
    received.push(base);
    return;
  }
  const key = `${base.to}/${part.ref}/${part.total}`;
  const group = assembling.get(key) || { base, texts: [] };
  group.texts[part.number - 1] = text;
  assembling.set(key, group);
  if (group.texts.filter((t) => t !== undefined).length === part.total) {
    assembling.delete(key);
    received.push(Object.assign(group.base, {
      text: group.texts.join(''), parts: part.total, index: received.length, ref: part.ref,
    }));
  }
}

function date() {
  return new Date().toISOString().replace(/\D/g, '').slice(2, 12);
}

function receipt(about, delivered) {
  const pdu = {
    source_addr: about.to,
    destination_addr: about.source,
    esm_class: smpp.ESM_CLASS.MC_DELIVERY_RECEIPT,
    data_coding: 0,
  };
  if (options.form !== 'tlv') {
    pdu.short_message = `id:${about.receiptID} sub:001 dlvrd:${delivered ? '001' : '000'} submit date:${date()} ` +
      `done date:${date()} stat:${delivered ? 'DELIVRD' : 'UNDELIV'} err:${delivered ? '000' : '034'} text:${about.text.slice(0, 20)}`;
  }
  if (options.form !== 'text') {
    pdu.receipted_message_id = about.id;
    pdu.message_state = delivered ? 2 : 5;
  }
  return pdu;
}

// deliver sends until the client acknowledges, on whatever session can receive.
function deliver(pdu, done) {
  unacknowledged++;
  attempt();
  function attempt() {
    const session = [...sessions].find((s) => s.receives && s.socket.writable);
    if (!session) {
      setTimeout(attempt, 50);
      return;
    }
    let settled = false;
    const again = (delay) => {
      if (settled) return;
      settled = true;
      session.socket.removeListener('close', lost);
      setTimeout(attempt, delay);
    };
    const lost = () => again(50);
    session.socket.once('close', lost);
    session.deliver_sm(Object.assign({}, pdu), (response) => {
      if (settled) return;
      if (response.command !== 'deliver_sm_resp' || response.command_status !== 0) {
        refusals++;
        again(50);
        return;
      }
      settled = true;
      session.socket.removeListener('close', lost);
      unacknowledged--;
      if (done) done();
    });
  }
}

// tell sends news: a receipt, a reply, or a reply in parts, one after the other
// when "sequential" is set.
function tell(news) {
  const about = received[news.about];
  if (!news.reply && !news.parts) {
    deliver(receipt(about, !news.undelivered));
    return;
  }
  const base = { source_addr: about.to, destination_addr: about.source };
  if (!news.parts) {
    deliver(Object.assign(base, { short_message: news.reply }));
    return;
  }
  const pdus = news.parts.map((text, i) => Object.assign({}, base, {
    short_message: { udh: Buffer.from([5, 0, 3, news.ref || 7, news.parts.length, i + 1]), message: text },
    data_coding: 8,
  }));
  if (news.reverse) pdus.reverse();
  if (!news.sequential) {
    pdus.forEach((pdu) => deliver(pdu));
    return;
  }
  const next = () => { if (pdus.length) deliver(pdus.shift(), next); };
  next();
}

function submit(session, pdu) {
  parts++;
  session.inFlight++;
  mostInFlight = Math.max(mostInFlight, session.inFlight);
  const respond = (fields) => {
    session.inFlight--;
    session.send(pdu.response(fields));
  };
  if (options.refuse.includes(pdu.destination_addr)) {
    respond({ command_status: smpp.ESME_RINVDSTADR });
    return;
  }
  let mode = behaviour.mode;
  if (behaviour.throttleAfter === 0) mode = 'throttle';
  switch (mode) {
    case 'throttle': respond({ command_status: smpp.ESME_RTHROTTLED }); return;
    case 'full': respond({ command_status: smpp.ESME_RMSGQFUL }); return;
    case 'status': respond({ command_status: behaviour.status }); return;
    case 'silent': take(pdu, ids()); return;
    case 'cut': take(pdu, ids()); session.destroy(); return;
    default:
  }
  if (behaviour.throttleAfter > 0) behaviour.throttleAfter--;
  accepted++;
  const id = ids();
  const before = received.length;
  take(pdu, id);
  if (received.length > before && behaviour.early) {
    deliver(receipt(received[before], true));
    setTimeout(() => respond({ message_id: id.response }), 50);
    return;
  }
  // setImmediate lets the requests of one read pile up, as in a real SMSC.
  setImmediate(() => {
    respond({ message_id: id.response });
    if (received.length > before && behaviour.receipts) deliver(receipt(received[before], true));
  });
}

function serve(session) {
  sessions.add(session);
  session.inFlight = 0;
  session.on('close', () => sessions.delete(session));
  session.on('error', () => session.destroy());
  const bind = (receives) => (pdu) => {
    if (pdu.system_id !== options.system_id || pdu.password !== options.password) {
      session.send(pdu.response({ command_status: smpp.ESME_RINVPASWD }));
      return;
    }
    binds++;
    session.receives = receives;
    session.send(pdu.response({ system_id: 'SMSC' }));
    // A request of ours with a number the client uses too: the two never mix.
    session.enquire_link();
  };
  session.on('bind_transceiver', bind(true));
  session.on('bind_receiver', bind(true));
  session.on('bind_transmitter', bind(false));
  session.on('submit_sm', (pdu) => submit(session, pdu));
  session.on('enquire_link', (pdu) => { enquiries++; session.send(pdu.response()); });
  session.on('unbind', (pdu) => { session.send(pdu.response()); session.close(); });
}

let server;
function listen(port, then) {
  server = options.key
    ? smpp.createServer({ key: fs.readFileSync(options.key), cert: fs.readFileSync(options.cert) }, serve)
    : smpp.createServer(serve);
  server.on('error', () => setTimeout(() => listen(port, then), 20));
  server.listen(port, '127.0.0.1', () => then(server.address().port));
}

function drop() {
  for (const session of sessions) session.destroy();
}

// behave changes the behaviour; going down and up waits for the listener.
function behave(order, port, then) {
  const wasDown = behaviour.mode === 'down';
  Object.assign(behaviour, order);
  const down = behaviour.mode === 'down';
  if (down && !wasDown) {
    server.close(then);
    drop();
  } else if (wasDown && !down) {
    listen(port, then);
  } else {
    then();
  }
}

function state() {
  return { received, unacknowledged, refusals, accepted, parts, binds, mostInFlight, enquiries, sessions: sessions.size };
}

listen(0, (port) => {
  const control = http.createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => { body += chunk; });
    request.on('end', () => {
      const order = (body && JSON.parse(body)) || {};
      const reply = () => response.end(JSON.stringify(state()));
      switch (request.url) {
        case '/behave': behave(order, port, reply); break;
        case '/options': Object.assign(options, order); reply(); break;
        case '/tell': tell(order); reply(); break;
        case '/drop': drop(); reply(); break;
        case '/unbind': for (const s of sessions) s.unbind(); reply(); break;
        default: reply();
      }
    });
  });
  control.listen(0, '127.0.0.1', () => {
    process.stdout.write(`${JSON.stringify({ smpp: port, control: control.address().port })}\n`);
  });
});

process.stdin.on('end', () => process.exit(0));
process.stdin.resume();
