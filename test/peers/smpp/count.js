'use strict';
// An SMSC made of the npm library "smpp" that only counts: it accepts, gives a
// receipt to those who ask for one, and keeps no message. The benchmark measures
// the product and the bare client against it, in turns.
//
//   node count.js '{"smpp":2775,"control":8080}'
//
// It prints one line of JSON once it listens and ends when its standard input
// closes. GET /counts says what it saw, POST /reset forgets it.

const http = require('http');
const smpp = require('smpp');

const options = Object.assign({ smpp: 0, control: 0 }, JSON.parse(process.argv[2] || '{}'));

let counts;
let seen;
let binds = 0;
let waiting = 0;
let sequence = 0;

function reset() {
  counts = { accepted: 0, doubles: 0, first_us: 0, last_us: 0, receipts: 0, acknowledged: 0, again: 0 };
  seen = new Set();
}

function now() { return Math.round((performance.timeOrigin + performance.now()) * 1000); }

function count(to) {
  counts.last_us = now();
  if (!counts.first_us) counts.first_us = counts.last_us;
  counts.accepted++;
  if (seen.has(to)) counts.doubles++;
  seen.add(to);
}

function stamp() { return new Date().toISOString().replace(/\D/g, '').slice(2, 12); }

// tell sends a receipt until it is acknowledged, as long as the session lives.
function tell(session, pdu) {
  counts.receipts++;
  session.deliver_sm(Object.assign({}, pdu), (answer) => {
    if (answer.command_status === 0) {
      waiting--;
      counts.acknowledged++;
      return;
    }
    counts.again++;
    setTimeout(() => tell(session, pdu), 50);
  });
}

function submit(session, pdu) {
  const id = String(++sequence);
  count(pdu.destination_addr);
  session.send(pdu.response({ message_id: id }));
  if (!(pdu.registered_delivery & 3)) return;
  waiting++;
  tell(session, {
    source_addr: pdu.destination_addr,
    destination_addr: pdu.source_addr,
    esm_class: smpp.ESM_CLASS.MC_DELIVERY_RECEIPT,
    short_message: `id:${id} sub:001 dlvrd:001 submit date:${stamp()} done date:${stamp()} stat:DELIVRD err:000 text:`,
  });
}

function serve(session) {
  const bind = (pdu) => {
    binds++;
    session.send(pdu.response({ system_id: 'SMSC' }));
  };
  session.on('error', () => session.destroy());
  session.on('bind_transceiver', bind);
  session.on('bind_receiver', bind);
  session.on('bind_transmitter', bind);
  session.on('submit_sm', (pdu) => submit(session, pdu));
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => { session.send(pdu.response()); session.close(); });
}

reset();
smpp.createServer(serve).listen(options.smpp, '127.0.0.1', function listening() {
  const port = this.address().port;
  const control = http.createServer((request, response) => {
    if (request.url === '/reset') reset();
    const sms = Object.assign({ distinct: seen.size, binds, waiting }, counts);
    response.end(JSON.stringify({ sms }));
  });
  control.listen(options.control, '127.0.0.1', () => {
    process.stdout.write(`${JSON.stringify({ name: 'ready', data: { smpp: port, control: control.address().port } })}\n`);
  });
});

process.stdin.on('end', () => process.exit(0));
process.stdin.resume();
