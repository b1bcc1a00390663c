// The doors of the demonstration: each role signs in once for all the specs.
const states = {};

// as opens a page as somebody. A house built anew knows nobody of the one before.
export async function as(t, role, path, more = {}) {
  const here = `${t.base} ${role}`;
  if (!states[here]) {
    const page = await t.open(new URL(t.house.doors[role]).pathname);
    states[here] = await page.context().storageState();
    if (!Object.keys(more).length) {
      if (path) page.answer = await page.goto(t.base + path);
      return page;
    }
  }
  return t.open(path, { state: states[here], ...more });
}
