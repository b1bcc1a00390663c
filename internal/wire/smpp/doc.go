// Package smpp is « Protocole SMPP »: the words and sentences of the Short
// Message Peer to Peer protocol, version 3.4 issue 1.2, for both sides of a
// connection.
//
// It promises that no octet received can make it panic or allocate more than
// the bound given, that what it decodes no longer depends on the buffer it came
// from, that what it refuses to encode names the field at fault, and that
// delivery receipts are understood in the shapes seen in the real world.
//
// It never opens a connection (Conn wraps one), and knows nothing of sessions, windows
// or retries: that belongs to who uses it. data_sm, query_sm, cancel_sm,
// replace_sm and submit_multi are not spoken; a peer that sends one is to
// receive ESME_RINVCMDID.
package smpp
