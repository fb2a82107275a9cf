/** Exponential back-off with full jitter in its upper half, so that a thousand widgets do not return in one beat. */
export class Backoff {
  private attempt = 0;

  constructor(
    private readonly random: () => number,
    private readonly first = 1000,
    private readonly most = 30_000,
  ) {}

  /** Milliseconds to wait before the next attempt; `least` is what the server asked for. */
  next(least = 0): number {
    const ceiling = Math.min(this.most, this.first * 2 ** Math.min(this.attempt++, 16));
    return Math.max(least, ceiling * (0.5 + this.random() / 2));
  }

  get tries(): number {
    return this.attempt;
  }

  reset(): void {
    this.attempt = 0;
  }
}
