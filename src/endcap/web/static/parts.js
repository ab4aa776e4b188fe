// Asks the server for the inside of a page. The answer is HTML of ours, parsed apart from the page.

export class Elsewhere extends Error {}

export async function fetchPart(address, options = {}) {
  const answer = await fetch(address, {
    ...options,
    headers: { ...options.headers, "endcap-part": "1" },
    credentials: "same-origin",
  });
  if (answer.redirected) {
    // Signed out meanwhile, most likely: the page to go on with is another one.
    location.assign(answer.url);
    throw new Elsewhere();
  }
  const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
  return { ok: answer.ok, body: parsed.querySelector("main") ?? parsed.body };
}
