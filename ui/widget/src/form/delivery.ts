/** Sends one filled-in form so that it arrives once: same id on every attempt, fresh proof when the old one ran out. */
import { solve, type Challenge, type Proof } from "./proof";

export interface Content {
  name: string;
  email: string;
  subject: string;
  text: string;
  attachments: string[];
}

export type Outcome =
  | { kind: "done"; number: string; tracking: string | null }
  | { kind: "refused"; fields: Record<string, string> }
  /** `wait` is true when the server will not take it for a good while */
  | { kind: "busy"; wait: boolean }
  | { kind: "network" };

export interface Door {
  url: string;
  fetch: (url: string, init: RequestInit) => Promise<Response>;
  id: () => string;
  now: () => number;
  digest: (input: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>;
  pause: (milliseconds: number) => Promise<void>;
}

const ATTEMPTS = 3;
/** Milliseconds before its end at which a proof is no longer worth sending. */
const MARGIN = 15_000;

export class Delivery {
  private id: string;
  private attempted: string | null = null;
  private proof: Promise<Proof> | null = null;

  constructor(private readonly door: Door) {
    this.id = door.id();
  }

  /** Starts the work while the visitor still writes. */
  prepare(): void {
    this.proof ??= this.work();
    // `send` meets the failure again and reacts to it there.
    this.proof.catch(() => (this.proof = null));
  }

  async send(content: Content): Promise<Outcome> {
    const wording = JSON.stringify(content);
    // Another text under an id that may have arrived would be a conflict, or be taken for the first one.
    if (this.attempted !== null && this.attempted !== wording) this.id = this.door.id();
    this.attempted = wording;
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.attempt(content).catch((): Outcome => ({ kind: "network" }));
      const passing = outcome.kind === "network" || (outcome.kind === "busy" && !outcome.wait) || (outcome.kind === "refused" && "proof" in outcome.fields);
      if (!passing || attempt === ATTEMPTS) return outcome;
      if (outcome.kind === "refused") this.proof = null;
      else await this.door.pause(1000 * 2 ** (attempt - 1));
    }
  }

  private async attempt(content: Content): Promise<Outcome> {
    const proof = await this.fresh();
    const answer = await this.door.fetch(this.door.url, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "Idempotency-Key": this.id, "X-Steward-Client": "form" },
      body: JSON.stringify({ id: this.id, ...content, proof }),
    });
    const body: unknown = await answer.json().catch(() => null);
    const raw = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
    if (answer.ok) {
      return { kind: "done", number: String(raw.number ?? ""), tracking: typeof raw.tracking === "string" ? raw.tracking : null };
    }
    if (answer.status === 429 || answer.status === 503) return { kind: "busy", wait: answer.status === 429 };
    if (answer.status >= 500) return { kind: "network" };
    if (answer.status === 422 && raw.code === "idempotency_key_reused") this.id = this.door.id();
    return { kind: "refused", fields: faults(raw) };
  }

  private async fresh(): Promise<Proof> {
    this.prepare();
    const proof = await this.proof!;
    const end = typeof proof.expires === "number" ? proof.expires * 1000 : Date.parse(proof.expires);
    if (!(end - this.door.now() < MARGIN)) return proof;
    this.proof = null;
    this.prepare();
    return this.proof!;
  }

  private async work(): Promise<Proof> {
    const answer = await this.door.fetch(this.door.url, { headers: { Accept: "application/json" }, cache: "no-store" });
    if (!answer.ok) throw new Error("no challenge");
    const { challenge } = (await answer.json()) as { challenge: Challenge };
    return solve(challenge, this.door.digest, () => this.door.pause(0));
  }
}

/** Field name -> code; a proof that was not taken is reported under "proof" whichever way the server says it. */
function faults(problem: Record<string, unknown>): Record<string, string> {
  const found: Record<string, string> = {};
  const fields = problem.fields;
  if (typeof fields === "object" && fields !== null) {
    for (const [name, fault] of Object.entries(fields)) {
      const code = (fault as { code?: unknown } | null)?.code;
      found[name] = typeof code === "string" ? code : "invalid";
    }
  }
  if (/proof|challenge/.test(String(problem.code))) found.proof = String(problem.code);
  return found;
}
