// The doors of the demonstration: each role signs in once for all the specs.
const states = {};

// as opens a page as somebody. A house built anew knows nobody of the one before.
export async function as(t, role, path, more = {}) {
  const here = `${t.base} ${role}`;
  states[here] ||= enter(t, role);
  return t.open(path, { state: await states[here], ...more });
}

async function enter(t, role) {
  const page = await t.open(new URL(t.house.doors[role]).pathname);
  const state = await page.context().storageState();
  await page.close();
  return state;
}
