// Each addition and subtraction as a carry chain of its own. Yosys otherwise merges trees of them
// into compressors made of look-up tables, which take a third more of them on these devices.

(* techmap_celltype = "$add $sub" *)
module carry_chain (A, B, Y);
  parameter _TECHMAP_CELLTYPE_ = "";
  parameter A_SIGNED = 0, B_SIGNED = 0, A_WIDTH = 1, B_WIDTH = 1, Y_WIDTH = 1;
  localparam SUBTRACTS = _TECHMAP_CELLTYPE_ == "$sub";
  input  [A_WIDTH-1:0] A;
  input  [B_WIDTH-1:0] B;
  output [Y_WIDTH-1:0] Y;
  wire   [Y_WIDTH-1:0] x, co;
  // Yosys leaves nothing of an operand that is 0.
  localparam A_BITS = A_WIDTH ? A_WIDTH : 1, B_BITS = B_WIDTH ? B_WIDTH : 1;
  wire   [A_BITS-1:0] a = A_WIDTH ? A : 0;
  wire   [B_BITS-1:0] b = B_WIDTH ? B : 0;
  \$alu #(
    .A_SIGNED(A_SIGNED && B_SIGNED), .B_SIGNED(A_SIGNED && B_SIGNED),
    .A_WIDTH(A_BITS), .B_WIDTH(B_BITS), .Y_WIDTH(Y_WIDTH)
  ) _TECHMAP_REPLACE_ (.A(a), .B(b), .BI(SUBTRACTS), .CI(SUBTRACTS), .Y(Y), .X(x), .CO(co));
endmodule
