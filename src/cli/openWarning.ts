/**
 * What the start says when whoever reaches the port may do everything, and others than this machine reach it; undefined where there is
 * nothing to say. `address` is the one that the server listens on.
 */
export function openWarning(isOpen: boolean, address: string): string | undefined {
  if (!isOpen || isLoopback(address)) return undefined;
  const where = address === '::' || address === '0.0.0.0' ? 'this machine' : address;
  return `open: anyone who can reach ${where} can post, scrape and delete; set web.config.file or auth.tokens.file, see docs/operate/security.md`;
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^(?:::ffff:)?127(?:\.\d{1,3}){3}$/.test(address);
}
