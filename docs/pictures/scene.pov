// A 3D printer on a workbench, as a camera beside it sees it: the scene in the pictures of README.md.
// povray -D +Iscene.pov +Oscene.png +W1280 +H720 +A0.2 +R3 && ffmpeg -i scene.png -vf scale=960:540:flags=lanczos -pix_fmt yuvj420p -q:v 3 scene.jpg
#version 3.7;
global_settings { assumed_gamma 1.0 max_trace_level 8 }
#include "colors.inc"
#include "woods.inc"
#include "metals.inc"
#declare Progress = 0.55;   // how much of the vase is printed
camera { location <-17, 21, -42> look_at <1.5, 9.2, 0> angle 41 right x*16/9 }
background { rgb 0.05 }
light_source { <-45, 60, -30> rgb <1.0, 0.93, 0.82>*0.95 area_light <9,0,0>, <0,0,9>, 5, 5 adaptive 1 jitter }
light_source { <50, 35, -45> rgb <0.55, 0.68, 0.9>*0.4 area_light <8,0,0>, <0,8,0>, 4, 4 adaptive 1 jitter }
light_source { <0, 24, -4> rgb <1, 0.97, 0.9>*0.25 fade_distance 14 fade_power 2 }

// The bench and the wall.
plane { y, 0 texture { T_Wood10 scale 7 rotate <0, 82, 0> } finish { ambient 0.02 diffuse 0.65 specular 0.12 roughness 0.04 reflection 0.03 } }
box { <-200, 0, 34>, <200, 120, 36> pigment { rgb <0.44, 0.5, 0.53> } normal { bumps 0.08 scale 0.6 } finish { ambient 0.03 diffuse 0.6 } }
// A pegboard's holes and three tools on it.
#declare Peg = union { #for (X, -60, 60, 4) #for (Y, 14, 46, 4) cylinder { <X, Y, 33.95>, <X, Y, 34.2>, 0.34 } #end #end pigment { rgb 0.09 } }
object { Peg }

#declare Dark = texture { pigment { rgb <0.055, 0.058, 0.065> } finish { ambient 0.02 diffuse 0.75 specular 0.35 roughness 0.03 } }
#declare Steel = texture { pigment { rgb <0.68, 0.69, 0.71> } finish { ambient 0.02 diffuse 0.35 specular 0.8 roughness 0.015 reflection 0.28 metallic } }
#declare Accent = texture { pigment { rgb <0.95, 0.36, 0.05> } finish { ambient 0.03 diffuse 0.75 specular 0.25 roughness 0.05 } }
#declare Plastic = texture { pigment { rgb <0.02, 0.36, 0.42> } finish { ambient 0.03 diffuse 0.72 specular 0.5 roughness 0.02 reflection 0.02 } }

// Base and feet.
union {
  box { <-13, 0.6, -9>, <13, 2.2, 10> }
  #for (X, -11, 11, 22) #for (Z, -7, 8, 15) cylinder { <X, 0, Z>, <X, 0.7, Z>, 1.1 } #end #end
  texture { Dark }
}
// A display.
box { <6.4, 1.0, -9.6>, <11.4, 3.6, -9> texture { Dark } }
box { <6.8, 1.35, -9.65>, <11.0, 3.3, -9.58> pigment { rgb <0.10, 0.32, 0.45> } finish { ambient 0.55 diffuse 0.3 } }
#for (I, 0, 3) box { <7.2, 2.9-I*0.42, -9.7>, <9.2+mod(I*7,3)*0.5, 3.05-I*0.42, -9.64> pigment { rgb <0.8, 0.95, 1> } finish { ambient 0.8 } } #end
cylinder { <5.4, 2.2, -9.6>, <5.4, 2.2, -9>, 0.55 texture { Accent } }
// The bed.
box { <-9, 2.9, -8>, <9, 3.25, 8> texture { pigment { rgb <0.16, 0.17, 0.19> } finish { ambient 0.02 diffuse 0.6 specular 0.2 roughness 0.06 reflection 0.06 } } }
box { <-8.6, 3.25, -7.6>, <8.6, 3.32, 7.6> texture { pigment { rgb <0.30, 0.24, 0.12> } finish { ambient 0.02 diffuse 0.55 specular 0.5 roughness 0.02 reflection 0.10 } } }
#for (I, -8, 8, 2) box { <I-0.02, 3.32, -7.6>, <I+0.02, 3.325, 7.6> pigment { rgb <0.42,0.36,0.22> } } box { <-8.6, 3.32, I*0.95-0.02>, <8.6, 3.325, I*0.95+0.02> pigment { rgb <0.42,0.36,0.22> } } #end
// The frame and the rods.
union {
  box { <-14, 0.6, 3>, <-12.2, 27, 4.6> } box { <12.2, 0.6, 3>, <14, 27, 4.6> } box { <-14, 25.2, 3>, <14, 27, 4.6> }
  texture { Dark }
}
union {
  cylinder { <-11.2, 2, 3.6>, <-11.2, 25.4, 3.6>, 0.32 } cylinder { <11.2, 2, 3.6>, <11.2, 25.4, 3.6>, 0.32 }
  #declare Top = 3.3 + 11 * Progress;
  cylinder { <-12, Top+3.1, 2.6>, <12, Top+3.1, 2.6>, 0.34 } cylinder { <-12, Top+5.3, 2.6>, <12, Top+5.3, 2.6>, 0.34 }
  texture { Steel }
}
box { <-13, Top+2.2, 1.6>, <-10.2, Top+6.2, 4.2> texture { Accent } }
box { <10.2, Top+2.2, 1.6>, <13, Top+6.2, 4.2> texture { Accent } }
// The vase, layer on layer.
#declare Radius = function(H) { 2.6 + 1.15*sin(H*2.9 + 0.4) + 0.5*H }
#declare Layers = 62;
union {
  #for (L, 0, Layers * Progress)
    #declare H = L / Layers;
    #declare R = Radius(H);
    #for (K, 0, 6)
      torus { R*0.86, 0.115 scale <1, 0.85, 1.0 - 0.0*K> translate <R*0.17*cos(K*2*pi/7 + H*3), 3.42 + 11*H, R*0.17*sin(K*2*pi/7 + H*3)> }
    #end
  #end
  texture { Plastic }
}
// The head, at the vase's edge.
#declare HR = Radius(Progress);
#declare Head = <HR*0.98*cos(-1.15), Top, HR*0.98*sin(-1.15)>;
union {
  cone { <0, 0.1, 0>, 0.09, <0, 0.75, 0>, 0.5 texture { T_Brass_3C } }
  box { <-0.9, 0.75, -0.7>, <0.9, 1.6, 0.9> texture { Steel } }
  box { <-1.9, 1.6, -1.6>, <1.9, 6.6, 5.2> texture { Dark } }
  difference { box { <-1.8, 2.3, -2.1>, <1.8, 5.9, -1.6> } cylinder { <0, 4.1, -2.2>, <0, 4.1, -1.5>, 1.55 } texture { Accent } }
  union { cylinder { <0, 4.1, -2.05>, <0, 4.1, -1.7>, 0.6 } #for (A, 0, 324, 36) box { <-0.18, 0.5, -0.1>, <0.18, 1.45, 0.0> rotate <0, 22, 0> rotate <0, 0, A> translate <0, 4.1, -1.85> } #end texture { pigment { rgb 0.11 } finish { specular 0.3 } } }
  cylinder { <0, 6.6, 1>, <0.4, 9.5, 1.3>, 0.16 pigment { rgb <0.85,0.9,0.9> } }
  translate Head
}
// A spool on the frame, with filament.
union {
  difference { cylinder { <0, 0, -1.4>, <0, 0, -1.2>, 5 } cylinder { <0, 0, -2>, <0, 0, 2>, 1.2 } texture { Dark } }
  difference { cylinder { <0, 0, 1.2>, <0, 0, 1.4>, 5 } cylinder { <0, 0, -2>, <0, 0, 2>, 1.2 } texture { Dark } }
  union { #for (I, 0, 10) torus { 3.9, 0.16 rotate <90, 0, 0> translate <0, 0, -1.05 + I*0.21> } #end cylinder { <0,0,-1.2>, <0,0,1.2>, 3.86 } texture { Plastic } }
  cylinder { <0, 0, -3>, <0, 0, 3>, 0.5 texture { Steel } }
  rotate <0, 18, 0> translate <17.5, 5.0, 12>
}
// What lies about: a mug, a finished vase, pliers' handles, a calliper's box.
union {
  difference { cylinder { <0, 0, 0>, <0, 6.2, 0>, 2.7 } cylinder { <0, 0.4, 0>, <0, 6.5, 0>, 2.42 } }
  difference { torus { 1.75, 0.36 rotate <90, 0, 0> translate <2.9, 3.2, 0> } cylinder { <0, 0.4, 0>, <0, 6.5, 0>, 2.5 } }
  texture { pigment { rgb <0.86, 0.84, 0.78> } finish { ambient 0.03 diffuse 0.75 specular 0.5 roughness 0.02 reflection 0.04 } }
  rotate <0, 200, 0> translate <-20.5, 0, 3>
}
cylinder { <-20.5, 5.4, 3>, <-20.5, 5.45, 3>, 2.42 pigment { rgb <0.09, 0.04, 0.015> } finish { reflection 0.12 specular 0.4 } }
union {
  #for (L, 0, 46)
    #declare H = L / 46;
    torus { (1.5 + 0.7*sin(H*2.9 + 0.4) + 0.3*H), 0.11 translate <0, 0.1 + 7.2*H, 0> }
  #end
  texture { Accent } translate <-15.5, 0, 13>
}
box { <-3, 0, -1.4>, <3, 1.0, 1.4> texture { pigment { rgb <0.5, 0.06, 0.05> } finish { diffuse 0.6 specular 0.2 } } rotate <0, 28, 0> translate <-13.6, 0, -14.2> }
union { sphere_sweep { cubic_spline 6, <-2,0.4,0>, 0.36, <0,0.4,0>, 0.36, <3,0.4,0.7>, 0.36, <6,0.4,0.4>, 0.33, <8,0.4,0.1>, 0.25, <9,0.4,0>, 0.2 } sphere_sweep { cubic_spline 6, <-2,0.4,0>, 0.36, <0,0.4,0>, 0.36, <3,0.4,-0.7>, 0.36, <6,0.4,-0.4>, 0.33, <8,0.4,-0.1>, 0.25, <9,0.4,0>, 0.2 } texture { Accent } rotate <0, -24, 0> translate <12, 0, -16.5> }
