// Passkeys: a button asks the browser to make or use one, and the form brings its answer. Without a script the buttons
// stay hidden, and a code comes by mail.

const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

// What the server says, as the browser takes it.
function options(said) {
  const known = (one) => ({ ...one, id: bytes(one.id) });
  const read = { ...said, challenge: bytes(said.challenge) };
  if (said.user) read.user = { ...said.user, id: bytes(said.user.id) };
  if (said.excludeCredentials) read.excludeCredentials = said.excludeCredentials.map(known);
  if (said.allowCredentials) read.allowCredentials = said.allowCredentials.map(known);
  return read;
}

// What the browser answers, as the server takes it.
function answer(key) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (key.response[name]) response[name] = text(key.response[name]);
  }
  return JSON.stringify({ id: key.id, rawId: text(key.rawId), type: key.type, response });
}

if (window.PublicKeyCredential) {
  for (const place of document.querySelectorAll("[data-without-script]")) place.hidden = true;
  for (const place of document.querySelectorAll("[data-passkey]")) offer(place);
}

function offer(place) {
  place.hidden = false;
  const button = place.querySelector("button"), form = button.form;
  const tell = (what) => {
    for (const one of place.querySelectorAll("[data-said]")) one.hidden = one.dataset.said !== what;
  };
  let busy = false;
  form.addEventListener("submit", async (event) => {
    const field = form.elements.passkey;
    if (event.submitter !== button || field.value) return;
    event.preventDefault();
    if (busy) return;
    busy = true;
    tell("");
    try {
      const token = new URLSearchParams({ form_token: form.elements.form_token.value });
      const asked = await fetch(place.dataset.challenge, { method: "POST", body: token, redirect: "error" });
      if (!asked.ok) throw new Error(`${asked.status}`);
      const publicKey = options(await asked.json());
      field.value = answer(await navigator.credentials[place.dataset.passkey]({ publicKey }));
      form.requestSubmit(button);
    } catch (error) {
      tell({ NotAllowedError: "cancelled", InvalidStateError: "there" }[error.name] || "failed");
    } finally {
      busy = false;
    }
  });
}
