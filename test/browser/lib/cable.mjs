// A cable between a browser and a house: cut, it refuses every connection, as a
// dead network does, and no setting of the browser knows.
import { connect, createServer } from "node:net";

// plug returns { base, cut, mend }.
export async function plug(house) {
  const { port } = new URL(house);
  const ends = new Set();
  let server, at = 0;
  const cable = {
    mend: () => new Promise((done) => {
      server = createServer((near) => {
        const far = connect(port, "127.0.0.1");
        for (const [end, other] of [[near, far], [far, near]]) {
          ends.add(end);
          end.on("error", () => end.destroy());
          end.on("close", () => ends.delete(end) && other.destroy());
        }
        near.pipe(far).pipe(near);
      }).listen(at, "127.0.0.1", () => {
        at = server.address().port;
        done();
      });
      server.unref(); // a failed test leaves it behind
    }),
    cut: () => new Promise((done) => {
      server.close(done);
      for (const end of ends) end.destroy();
    }),
  };
  await cable.mend();
  return { ...cable, base: `http://localhost:${at}` };
}
