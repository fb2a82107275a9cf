import { mergeAreas } from './merge'

export default mergeAreas({
  ...import.meta.glob('./*.zh-CN.json', { eager: true, import: 'default' }),
  ...import.meta.glob('../../../kit/locales/*.zh-CN.json', { eager: true, import: 'default' }),
})
