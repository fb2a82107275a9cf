// Components say which keys they answer to; the registry forgets them when they leave.
import { inject, onScopeDispose, provide, type InjectionKey } from 'vue'
import { ShortcutRegistry, type Shortcut } from './shortcuts'

const REGISTRY: InjectionKey<ShortcutRegistry> = Symbol('shortcuts')
let fallback: ShortcutRegistry | undefined

/** One registry per application; also makes it reachable for code outside components. */
export function provideShortcuts(registry: ShortcutRegistry = new ShortcutRegistry()): ShortcutRegistry {
  provide(REGISTRY, registry)
  const listen = (event: KeyboardEvent) => void registry.handle(event)
  window.addEventListener('keydown', listen)
  onScopeDispose(() => window.removeEventListener('keydown', listen))
  return registry
}

export function useShortcutRegistry(): ShortcutRegistry {
  return inject(REGISTRY, () => (fallback ??= new ShortcutRegistry()), true)
}

export function useShortcuts(scope: string, shortcuts: Omit<Shortcut, 'scope'>[]): ShortcutRegistry {
  const registry = useShortcutRegistry()
  const undo = [registry.activate(scope), ...shortcuts.map((shortcut) => registry.add({ ...shortcut, scope }))]
  onScopeDispose(() => undo.forEach((off) => off()))
  return registry
}
