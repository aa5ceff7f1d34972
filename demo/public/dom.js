// The few things that the page does with the DOM. Text is always text: nothing is parsed as HTML.
export const fact = (name) => document.querySelector(`[data-fact="${name}"]`)

export function show(name, text) {
  fact(name).textContent = text ?? '–'
}

export function element(tag, className = '', ...children) {
  const made = document.createElement(tag)
  made.className = className
  made.append(...children)
  return made
}

const SVG = 'http://www.w3.org/2000/svg'

export function svg(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
  made.append(...children)
  return made
}

export function duration(seconds) {
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [Math.floor(seconds) % 60, 's'],
  ]
  const first = parts.findIndex(([amount]) => amount > 0)
  return parts
    .slice(first === -1 ? 3 : first)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(' ')
}
