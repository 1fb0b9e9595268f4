/** Returns the credential of the door that stands for the client of a number, from 0 to 9. */
export const credentialOf = (index: number) => ({
  accessKeyId: `AKIABENCHMARK000000${index}`,
  secretAccessKey: `secret of a benchmark, number ${index}`,
});
