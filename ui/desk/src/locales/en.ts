import { mergeAreas } from './merge'

export default mergeAreas({
  ...import.meta.glob('./*.en.json', { eager: true, import: 'default' }),
  ...import.meta.glob('../../../kit/locales/*.en.json', { eager: true, import: 'default' }),
})
