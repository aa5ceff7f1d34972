declare namespace Cloudflare {
  interface GlobalProps {
    mainModule: typeof import('../../demo/index.js')
  }
}
