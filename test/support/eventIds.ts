/** Event ids in an answer, without the times of arrival that they end in: `e17`. */
export function withoutArrivals(text: string): string {
  return text.replaceAll(/"(e\d+)-[\da-z]+"/g, '"$1"');
}
