'use strict';
// A client of the npm library "smpp", which we did not write, against the SMSC
// of the lab. It sends the messages of its argument, waits for their receipts
// and as many answers as asked, and prints what its library read, as JSON.
const smpp = require('smpp');

const order = JSON.parse(process.argv[2]);
const seen = { bind: -1, wrong: -1, statuses: [], ids: [], receipts: [], replies: [], enquired: false };

function finish() {
  if (seen.receipts.length < order.receipts || seen.replies.length < order.replies || !seen.enquired) return;
  session.unbind({}, () => {
    session.close();
    console.log(JSON.stringify(seen));
  });
}

const session = smpp.connect({ url: 'smpp://127.0.0.1:' + order.port }, () => {
  session.bind_transceiver({ system_id: order.system_id, password: order.password }, (pdu) => {
    seen.bind = pdu.command_status;
    session.enquire_link({}, (answer) => { seen.enquired = answer.command_status === 0; finish(); });
    session.query_sm({ message_id: '1' }, (answer) => { seen.wrong = answer.command_status; });
    for (const m of order.messages) {
      const fields = {
        source_addr_ton: 5, source_addr: 'TOCSIN', dest_addr_ton: 1, dest_addr_npi: 1,
        destination_addr: m.to, registered_delivery: 1, validity_period: m.validity || '',
      };
      if (m.payload) fields.message_payload = m.text; else fields.short_message = m.text;
      session.submit_sm(fields, (answer) => {
        seen.statuses.push(answer.command_status);
        seen.ids.push(answer.message_id);
      });
    }
  });
});
session.on('deliver_sm', (pdu) => {
  session.send(pdu.response());
  const text = pdu.short_message && pdu.short_message.message && pdu.short_message.message.length
    ? pdu.short_message.message : pdu.message_payload.message;
  if (pdu.esm_class === smpp.ESM_CLASS.MC_DELIVERY_RECEIPT) {
    seen.receipts.push({ id: pdu.receipted_message_id, state: pdu.message_state, text: String(text) });
  } else {
    seen.replies.push({ from: pdu.source_addr, to: pdu.destination_addr, text: String(text) });
  }
  finish();
});
session.on('error', (e) => { console.error(e); process.exit(1); });
