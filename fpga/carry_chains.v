// Each addition and subtraction as a carry chain of its own. Yosys otherwise merges trees of them
// into compressors made of look-up tables, which take a third more of them on these devices.

(* techmap_celltype = "$add" *)
module carry_chain_add (A, B, Y);
  parameter A_SIGNED = 0, B_SIGNED = 0, A_WIDTH = 1, B_WIDTH = 1, Y_WIDTH = 1;
  input  [A_WIDTH-1:0] A;
  input  [B_WIDTH-1:0] B;
  output [Y_WIDTH-1:0] Y;
  wire   [Y_WIDTH-1:0] x, co;
  \$alu #(
    .A_SIGNED(A_SIGNED && B_SIGNED), .B_SIGNED(A_SIGNED && B_SIGNED),
    .A_WIDTH(A_WIDTH), .B_WIDTH(B_WIDTH), .Y_WIDTH(Y_WIDTH)
  ) _TECHMAP_REPLACE_ (.A(A), .B(B), .BI(1'b0), .CI(1'b0), .Y(Y), .X(x), .CO(co));
endmodule

(* techmap_celltype = "$sub" *)
module carry_chain_sub (A, B, Y);
  parameter A_SIGNED = 0, B_SIGNED = 0, A_WIDTH = 1, B_WIDTH = 1, Y_WIDTH = 1;
  input  [A_WIDTH-1:0] A;
  input  [B_WIDTH-1:0] B;
  output [Y_WIDTH-1:0] Y;
  wire   [Y_WIDTH-1:0] x, co;
  \$alu #(
    .A_SIGNED(A_SIGNED && B_SIGNED), .B_SIGNED(A_SIGNED && B_SIGNED),
    .A_WIDTH(A_WIDTH), .B_WIDTH(B_WIDTH), .Y_WIDTH(Y_WIDTH)
  ) _TECHMAP_REPLACE_ (.A(A), .B(B), .BI(1'b1), .CI(1'b1), .Y(Y), .X(x), .CO(co));
endmodule
