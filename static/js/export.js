// What a visitor takes from the page: a text on the clipboard, or a file.

/** Copies a text, and says whether that worked. Beyond loopback and without TLS a page has no clipboard of its own. */
export async function clipboard(written) {
  try {
    await navigator.clipboard.writeText(written);
    return true;
  } catch {
    const field = document.createElement("textarea");
    field.value = written;
    (document.querySelector("dialog[open]") ?? document.body).append(field); // what is beside an open dialog cannot be selected
    field.select();
    const copied = document.execCommand("copy");
    field.remove();
    return copied;
  }
}

/** Saves a text as a file. */
export function download(name, type, written) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([written], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
