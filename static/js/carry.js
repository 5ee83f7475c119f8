// What a visitor copies from the page.

/** Copies a text, and says whether that worked. Beyond loopback and without TLS a page has no clipboard of its own. */
export async function clipboard(written) {
  try {
    await navigator.clipboard.writeText(written);
    return true;
  } catch {
    const field = document.createElement("textarea");
    field.value = written;
    document.body.append(field);
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
