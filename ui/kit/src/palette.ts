// What the command palette lists for a query: recent first when nothing is typed, best matches first otherwise.
import type { Component } from 'vue'
import { fuzzyScore } from './fuzzy'

export interface Command {
  id: string
  label: string
  group: string
  hint?: string
  keys?: string
  icon?: Component
  /** The label in the other language and other words people may type. */
  keywords?: string
  run: () => void
}

export interface CommandGroup {
  label: string
  commands: Command[]
}

const MAX_SHOWN = 50

export function groupCommands(query: string, commands: readonly Command[], recent: readonly string[], found: readonly Command[], recentLabel: string): CommandGroup[] {
  const scored = commands
    .map((command) => ({ command, score: query.trim() ? Math.max(fuzzyScore(query, command.label) * 2, fuzzyScore(query, `${command.label} ${command.keywords ?? ''} ${command.group}`)) : 1 }))
    .filter((entry) => entry.score > 0)
    .sort((a, b) => b.score - a.score)
    .slice(0, MAX_SHOWN)
  const groups = new Map<string, Command[]>()
  const put = (label: string, command: Command) => groups.set(label, [...(groups.get(label) ?? []), command])
  if (!query.trim()) {
    const byId = new Map(commands.map((command) => [command.id, command]))
    for (const id of recent.slice(0, 5)) {
      const command = byId.get(id)
      if (command) put(recentLabel, command)
    }
  }
  for (const { command } of scored) put(command.group, command)
  for (const command of found) put(command.group, command)
  return [...groups].map(([label, list]) => ({ label, commands: list }))
}
