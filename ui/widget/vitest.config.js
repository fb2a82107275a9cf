import { defineConfig } from "vitest/config";
import { jsx } from "./bundle.js";

// The reporter of vitest 5.1 calls Map.groupBy to print a failure; Node.js 20 does not have it and would show a crash instead.
Map.groupBy ??= (items, keyOf) => {
  const groups = new Map();
  let at = 0;
  for (const item of items) {
    const key = keyOf(item, at++);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
};

export default defineConfig({
  oxc: jsx,
  test: { environment: "happy-dom", include: ["tests/**/*.test.{ts,tsx}"], mockReset: true },
});
