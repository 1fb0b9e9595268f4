export const handler = () => ({ ok: false });
