// Package chat is « Canal messagerie instantanée »: the room of a team, told by
// a webhook (Mattermost, Rocket.Chat, Teams or any other that takes JSON), and
// people, written to one by one on Matrix or Tchap, whose answers are read.
//
// It promises that a text never breaks out of the place a template gives it;
// that a message sent again to Matrix under the same delivery is the same
// event; that a person has one room with us, found again after any crash
// without anything kept here; that an answer is passed over at the server only
// once it is durable, and counts for the account that wrote it; that no
// redirection is followed, and no address of this machine or of a cloud's
// metadata called.
//
// It never joins a room that it did not make, never reads what is encrypted
// (and says so in the room), never sends a message twice by itself, keeps
// nothing on disk, and writes no address, no text and no secret to the log.
package chat
