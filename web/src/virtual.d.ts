declare module "virtual:world" {
  const shapes: Record<string, string>; // by two letters; "" is land without a code
  export default shapes;
}
