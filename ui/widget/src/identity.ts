/**
 * The subject of a signed identity, unverified: only the server can check the signature. It is used for one thing,
 * to notice that another person signed in to the site in this browser, whose chat must not show the previous one's.
 */
export function subject(jwt: string): string | null {
  try {
    const body = (jwt.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(body), (char) => char.codePointAt(0) ?? 0);
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    const found = (claims as { sub?: unknown } | null)?.sub;
    return typeof found === "string" && found ? found : null;
  } catch {
    return null;
  }
}
