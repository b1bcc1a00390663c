'use strict';
// A push service made of the npm package "web-push-testing": browsers subscribe
// to it, it verifies what is sent to them (VAPID, headers) and decrypts it with a
// library that is neither ours nor that of our sender.
//
//   node service.js
//
// It prints one line of JSON once it listens, {"port":port}, and ends when its
// standard input closes.

const { PushApiModel } = require('web-push-testing/src/PushApiModel');
const Server = require('web-push-testing/src/server');

const model = new PushApiModel();
// The package's own start listens on every address of the machine.
const service = new Server(model, 0);
service.setRequestHandlers();
const listening = service._app.listen(0, '127.0.0.1', () => {
  const { port } = listening.address();
  model.notifyUrl = `http://127.0.0.1:${port}/notify/`;
  process.stdout.write(JSON.stringify({ port }) + '\n');
});

process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
