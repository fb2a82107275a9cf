import { mount } from '@vue/test-utils'
import { TooltipProvider } from 'reka-ui'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { defineComponent, h, nextTick } from 'vue'
import { Countdown, FormField, Input, ToastHost, provideFormErrors, setClockOffset, useToasts, type Problem } from '../src'

describe('Countdown', () => {
  beforeAll(() => void vi.useFakeTimers({ now: 1_000_000 }))
  it('counts down and tells when the end is reached', async () => {
    setClockOffset(0)
    const wrapper = mount(Countdown, { props: { to: 1_002_000 } })
    expect(wrapper.text()).toBe('0:02')
    vi.advanceTimersByTime(2000)
    await nextTick()
    expect(wrapper.emitted('end')).toHaveLength(1)
    vi.advanceTimersByTime(2000)
    await nextTick()
    expect(wrapper.text()).toBe('\u22120:02')
  })
})

describe('FormField', () => {
  it("shows the server's reason and binds it to the control", () => {
    const problem: Problem = { code: 'invalid', fields: { email: { code: 'taken', params: { email: 'a@b' } } } }
    const form = defineComponent(() => {
      provideFormErrors(() => problem, (reason) => `words for ${reason.code}`)
      return () => h(FormField, { label: 'E-mail', name: 'email' }, () => h(Input))
    })
    const wrapper = mount(form)
    const input = wrapper.get('input')
    expect(wrapper.get('[role=alert]').text()).toBe('words for taken')
    expect(input.attributes('aria-invalid')).toBe('true')
    expect(input.attributes('aria-describedby')).toBe(wrapper.get('[role=alert]').attributes('id'))
    expect(wrapper.get('label').attributes('for')).toBe(input.attributes('id'))
  })
})

describe('ToastHost', () => {
  it('runs the undo and removes the toast', async () => {
    const undo = vi.fn()
    const wrapper = mount(defineComponent(() => () => h(TooltipProvider, () => h(ToastHost))))
    useToasts().ok('Solved', { label: 'Undo', run: undo })
    await nextTick()
    await wrapper.get('button').trigger('click')
    expect(undo).toHaveBeenCalledOnce()
    expect(wrapper.text()).not.toContain('Solved')
  })
})
